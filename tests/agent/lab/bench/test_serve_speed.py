"""`lichen bench serve`, small: a real server process, a model that answers at once."""

from lichen.agent.lab.bench.serve_speed import bench_serve


def test_a_small_load_loses_no_feedback() -> None:
    found = bench_serve(clients=[1, 4], requests=12, seconds=30, say=lambda _: None)
    last = found["rows"][-1]
    assert last == {"what": "feedbacks acknowledged", "n": 24, "lost": 0}
    assert [row["failed"] for row in found["rows"][:2]] == [0, 0]
    assert found["rows"][0]["answer p95"] > 0
