"""The exporter: workers count attempts in a ledger, and one process shows the totals to Prometheus."""
