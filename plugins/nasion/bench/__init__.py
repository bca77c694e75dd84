"""How fast the CPU engine is and where its time goes; every comparison is of turns taken side by side in one run."""
