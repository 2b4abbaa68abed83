"""What a remembered thing is worth: causal uplift with intervals, what is shown and held out, judges."""
