"""What is exactly known of one coordinate: closed forms, and the two halves of a step."""
