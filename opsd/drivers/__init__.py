"""One door to each outside thing. Drivers return facts; they judge nothing."""
