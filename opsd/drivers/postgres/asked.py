"""What a server is asked about its log, who receives it, and who may do what."""

from __future__ import annotations

# What a session begins with is the server's, and follows it, but for what is set closer to it.
OWN = """
    SELECT source NOT IN ('default', 'environment variable', 'configuration file', 'command line')
      FROM pg_settings WHERE name = 'synchronous_commit'
"""
SEEN = """
    SELECT clock_timestamp(),
           (SELECT system_identifier::text FROM pg_control_system()),
           current_setting('server_version_num')::int,
           (SELECT setting::int FROM pg_settings WHERE name = 'wal_segment_size'),
           pg_is_in_recovery(),
           CASE WHEN NOT pg_is_in_recovery() THEN pg_walfile_name(pg_current_wal_flush_lsn()) END,
           CASE WHEN pg_is_in_recovery()
                THEN coalesce(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())
                ELSE pg_current_wal_flush_lsn() END::text,
           current_setting('synchronous_standby_names'),
           (SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'),
           (SELECT reset_val FROM pg_settings WHERE name = 'synchronous_commit'),
           (SELECT nullif(setting::bigint, -1) << 20 FROM pg_settings
             WHERE name = 'max_slot_wal_keep_size'),
           (SELECT json_agg(json_build_object('application', application_name, 'state', state,
                   'sync', sync_state, 'flushed', flush_lsn::text, 'sent', sent_lsn::text))
              FROM pg_stat_replication),
           (SELECT json_agg(json_build_object('name', slot_name, 'active', active,
                   'status', coalesce(wal_status, ''), 'retained',
                   CASE WHEN NOT pg_is_in_recovery()
                        THEN pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::bigint END))
              FROM pg_replication_slots WHERE slot_type = 'physical'),
           (SELECT json_agg(json_build_object('setting', setting, 'value', value, 'place', place)
                   ORDER BY place, setting)
              FROM (SELECT name, reset_val, '' FROM pg_settings
                     WHERE name IN ('fsync', 'full_page_writes')
                    UNION ALL
                    SELECT split_part(line, '=', 1), split_part(line, '=', 2),
                           coalesce((SELECT 'DATABASE ' || quote_ident(datname) FROM pg_database
                                      WHERE oid = setdatabase),
                                    (SELECT 'ROLE ' || quote_ident(rolname) FROM pg_roles
                                      WHERE oid = setrole), '')
                      FROM pg_db_role_setting, unnest(setconfig) AS line
                     WHERE split_part(line, '=', 1) = 'synchronous_commit'
                   ) AS set(setting, value, place)
             WHERE lower(value) NOT IN ('on', 'true', 'yes', '1'))
"""
REPLAY = """
    SELECT pg_is_in_recovery(),
           pg_is_in_recovery() AND pg_get_wal_replay_pause_state() = 'paused',
           pg_last_xact_replay_timestamp(), pg_last_wal_replay_lsn()::text
"""
RIGHTS = """
    SELECT current_user::text, rolsuper,
           rolsuper OR pg_has_role(current_user, 'pg_monitor', 'USAGE'),
           rolsuper OR has_parameter_privilege('synchronous_standby_names', 'ALTER SYSTEM'),
           has_function_privilege('pg_reload_conf()', 'EXECUTE'),
           (SELECT rolname::text FROM pg_roles WHERE oid = 10)
      FROM pg_roles WHERE rolname = current_user
"""
ROLE = """
    SELECT rolreplication, rolsuper,
           ARRAY(SELECT word FROM (VALUES ('CREATEROLE', rolcreaterole), ('CREATEDB', rolcreatedb),
                                          ('BYPASSRLS', rolbypassrls)) AS may(word, yes) WHERE yes)
      FROM pg_roles WHERE rolname = %s
"""
