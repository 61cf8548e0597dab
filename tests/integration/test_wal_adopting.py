"""Another configuration is adopted while a log is received: it holds for all that goes on then."""

from __future__ import annotations

from opsd.daemon.wal import Wardens
from opsd.tasks.wal import setting_up
from opsd.tasks.wal.log import logs_of
from tests.logs import Heard, finished, objects, sql, until, with_far, with_log
from tests.site import SET, Site


def test_a_log_goes_where_the_configuration_says_that_was_read_again(site: Site) -> None:
    with with_log(site).kit() as kit:
        (log,) = logs_of(kit, SET)
        setting_up.carry_out(setting_up.plan(log))
        heard = Heard()
        wardens = Wardens(kit, heard.take)
        try:
            wardens.adopt(kit.config)
            until(lambda: heard.cause("dossiers/database/one") == "")
            sql(site, "CREATE TABLE one AS SELECT 1")
            sql(site, "SELECT pg_switch_wal()")
            until(lambda: finished(site))

            # Another repository beside the first one.
            with with_far(site).kit() as again:
                more = again.config
            wardens.adopt(more)
            until(lambda: finished(site, "far") == finished(site), 30)

            # The first one lies elsewhere from now on.
            main = more.repositories["main"]
            moved = main.model_copy(update={"url": str(site.base / "moved")})
            (site.base / "moved").mkdir()
            wardens.adopt(
                more.model_copy(update={"repositories": {**more.repositories, "main": moved}})
            )
            until(lambda: objects(site, "moved"), 30)
        finally:
            site.system.cluster.stop()
            kit.stop.request()
            wardens.close()
