"""Pure judgement: facts in, verdicts out; no clock, no files, no processes."""
