"""What can be checked: plain functions, a layer under a case, a loss, a network with its loss."""
