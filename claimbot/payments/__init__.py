"""Floor 2, the only room that knows Stripe: gateway asks, webhook listens, read turns its words into ours."""
