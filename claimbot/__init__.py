"""claimbot: a self-hosted engine for DM commerce."""
