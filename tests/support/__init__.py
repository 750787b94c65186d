"""What tests share: real brokers, synthetic events, the place of the shared data."""
