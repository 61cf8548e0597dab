"""The binary log of MariaDB members: received, kept in repositories, replayed onto base copies."""
