"""What the past of a Prometheus says: budgets filled in, alerts tried out, objectives advised."""
