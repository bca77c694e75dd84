"""How a network learns: loss, schedule, runs, what is written down of them."""
