"""A PostgreSQL of the run's own, in a folder of its own, with durable settings."""

import os
import pwd
import shutil
import subprocess
from pathlib import Path

import psycopg
import signal

from processes import Failed, end, wait_until

# What a good engineer sets on a small server. Everything that decides about durability stays as it comes, and is checked.
SETTINGS = {
    "listen_addresses": "",
    "shared_buffers": "1GB",
    "effective_cache_size": "3GB",
    "work_mem": "64MB",
    "maintenance_work_mem": "256MB",
    "max_wal_size": "8GB",
    "random_page_cost": "1.1",
    "jit": "off",
    "log_min_messages": "warning",
}
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
SQL = Path(__file__).with_name("sql")


def programs():
    """The folder with PostgreSQL's programs: Debian keeps a folder a version, beside the search path."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    if versions:
        return versions[-1].parent
    found = shutil.which("postgres")
    if not found:
        raise Failed("there is no PostgreSQL (Debian package: postgresql)")
    return Path(found).resolve().parent


class PostgreSQL:
    """The server. As root it runs as the user `postgres`, since it refuses to run as root."""

    def __init__(self, folder):
        self.folder = folder / "postgresql"
        self.account = "postgres" if os.geteuid() == 0 else None
        self.as_account = {"user": self.account, "group": self.account, "extra_groups": []} if self.account else {}

    def __enter__(self):
        bin_folder = programs()
        self.folder.mkdir()
        if self.account:
            try:
                owner = pwd.getpwnam(self.account)
            except KeyError:
                raise Failed("there is no user postgres for PostgreSQL to run as (Debian package: postgresql)") from None
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
            self._need_a_way_in()
        data, self.log = self.folder / "data", self.folder / "log"
        made = subprocess.run(
            [bin_folder / "initdb", "-D", data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-locale", "-N"],
            capture_output=True, text=True, cwd="/", **self.as_account,
        )
        if made.returncode != 0:
            raise Failed(f"initdb: {made.stderr.strip()}")
        settings = SETTINGS | {"unix_socket_directories": str(self.folder)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [bin_folder / "postgres", "-D", data, *options],
                stdout=log, stderr=log, cwd="/", start_new_session=True, **self.as_account,
            )
        try:
            wait_until(self._answers, "PostgreSQL", self.process, self.log)
            self._check_durable()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        end(self.process, signal.SIGINT)

    def _need_a_way_in(self):
        reached = subprocess.run(["test", "-x", self.folder], cwd="/", **self.as_account)
        if reached.returncode != 0:
            raise Failed(
                f"the user {self.account}, as whom PostgreSQL runs, cannot reach {self.folder}: name another folder by --disk"
            )

    def _answers(self):
        try:
            self.connect().close()
            return True
        except psycopg.OperationalError:
            return False

    def _check_durable(self):
        with self.connect() as connection:
            for name, expected in DURABLE.items():
                (value,) = connection.execute(f"SHOW {name}").fetchone()
                if value != expected:
                    raise Failed(f"PostgreSQL has {name} = {value}; the comparison is with {expected}")
            (self.version,) = connection.execute("SHOW server_version").fetchone()

    def address(self, database="postgres", user="postgres"):
        return f"host={self.folder} dbname={database} user={user}"

    def connect(self, database="postgres", user="postgres"):
        return psycopg.connect(self.address(database, user), autocommit=True)

    def make_database(self, name):
        """An empty database; one of the same name before is dropped."""
        with self.connect() as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            connection.execute(f"CREATE DATABASE {name}")

    def run_sql(self, database, file):
        with self.connect(database) as connection:
            connection.execute((SQL / file).read_text())
