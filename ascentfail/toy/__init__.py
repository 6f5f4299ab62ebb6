"""What is exactly known of the toy network: its losses, every stationary point, barriers and verified flows."""
