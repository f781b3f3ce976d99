"""World state: accounts, storage, code and weight blocks, journalled, with Merkle-Patricia roots."""
