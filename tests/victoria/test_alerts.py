"""Whole rule files on a real VictoriaMetrics: the alerts that vmalert's replay fires, beside those of Prometheus."""

from pathlib import Path

from sloforge.targets.vmalert import VMALERT
from tests.rules.definitions import rule_files
from tests.rules.engine import simulate
from tests.rules.fleet import HOUR, MINUTE
from tests.rules.test_lags import ALERTS_S, END_S, never, scenarios
from tests.victoria.replay import replay
from tests.victoria.servers import victoria


def test_the_same_alerts_fire_as_much_later_as_told(tmp_path: Path) -> None:
    """Prometheus evaluates anywhere within a minute, vmalert at whole minutes: hence a minute of play."""
    hard, violated = never()
    cases = scenarios()
    slos = [*(case.definition for case in cases), hard]
    series = [series for case in (*cases, violated) for series in case.fleet.scrape()]
    prometheus = simulate(rule_files(slos, period="7d"), series, {}, end_s=END_S)
    with victoria(tmp_path) as server:
        server.write(series)
        files = rule_files(slos, period="7d", target="vmalert", as_engine=VMALERT)
        replay(server, files, tmp_path, end_s=END_S)
        for alert, lag_s in ALERTS_S.items():
            asked = f'ALERTS{{alertname="{alert}",alertstate="firing"}}'
            fired = {p.labels.get("slo"): p.times[0] for p in server.ask_range(asked, HOUR, END_S, MINUTE)}
            due = {firing.labels.get("slo"): firing.from_s + lag_s for firing in reversed(prometheus.alerts(alert))}
            assert fired.keys() == due.keys() != set(), alert
            assert all(abs(fired[slo] - due[slo]) <= MINUTE for slo in due), (alert, fired, due)
