"""Weight blocks: how they are packed and decoded, kept from use to use, and fetched ahead of their use."""
