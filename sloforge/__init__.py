"""SLOs that change behaviour: a compiler from `slo_definitions.yml` to Prometheus rules, and what stands on it."""
