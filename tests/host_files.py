"""What lies on a host of the tests: accounts, the settings of its sshd, how it boots."""

# Accounts of every host: one may do everything, one little, one has no shell.
ROOT, WATCHER, CLOSED = "root", "watcher", "closed"
PASSWD = """\
root:x:0:0::/root:/bin/sh
sshd:x:101:65534::/run/sshd:/usr/sbin/nologin
watcher:x:1901:1901::/:/bin/sh
closed:x:1902:1902::/:/usr/sbin/nologin
"""
SSHD = """\
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
MaxStartups 300:30:400
MaxSessions 64
PrintMotd no
UseDNS no
AuthorizedKeysFile {home}/id.pub
"""
# The first process ignores that its children end: so the kernel reaps them, as every init does.
BOOT = """\
set -e
mount --make-rprivate /
mount -t proc proc /proc
mount -t tmpfs -o mode=700 tmpfs /root
mount -t tmpfs -o mode=755 tmpfs /run
mkdir /run/sshd
mount --bind {home}/passwd /etc/passwd
mount --bind {home}/shadow /etc/shadow
hostname {name}
ip link set lo up
echo up
exec env --ignore-signal=CHLD sleep infinity
"""
