"""What is measured, part by part: a `Bench` in, figures with the raw numbers they come from out."""
