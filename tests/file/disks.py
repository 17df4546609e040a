"""Real disks that a test fills, slows down, stops and breaks: an ext4 of its own on a loop device, mounted by the test
and taken away by it. That needs root, loop devices and a kernel with ext4: without them the tests that want it fail."""

import fcntl
import os
import pathlib
import subprocess

from preloaded import preloaded
from support.processes import wait_until

FREEZE, THAW = 0xC0045877, 0xC0045878       # ioctl: no write of anybody goes on, and goes on again
# Of the root group: what the kernel writes back in its own name is bound by it, too. Version 1 of cgroups: where there
# is another one, a process that writes is slowed down instead.
LIMIT = pathlib.Path("/sys/fs/cgroup/blkio/blkio.throttle.write_bps_device")


def run(*command):
    done = subprocess.run(command, check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))} failed: this test needs root, loop devices and ext4\n"
                             f"{done.stdout}")
    return done.stdout.strip()


class LoopDisk:
    def __init__(self, directory, mib=64):
        assert os.geteuid() == 0, "this test makes and mounts a file system: it needs root"
        self.image = directory / "disk.image"
        self.path = directory / "disk"
        self.path.mkdir()
        with open(self.image, "wb") as image:
            image.truncate(mib << 20)
        run("/usr/sbin/mkfs.ext4", "-q", "-F", "-m", "0", self.image)
        self.device = run("/usr/sbin/losetup", "--find", "--show", self.image)
        self.mounted = self.frozen = False
        try:
            self.mount()
        except BaseException:
            run("/usr/sbin/losetup", "--detach", self.device)
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.unthrottle()
        self.thaw()
        self.unmount()
        run("/usr/sbin/losetup", "--detach", self.device)

    @property
    def root(self):
        """For files: not the mount point itself, where ext4 has a folder of its own."""
        return self.path / "files"

    def mount(self, options="errors=remount-ro"):
        run("/usr/bin/mount", "-t", "ext4", "-o", options, self.device, self.path)
        self.mounted = True

    def unmount(self):
        if not self.mounted:
            return
        wait_until(lambda: subprocess.run(["/usr/bin/umount", self.path], check=False,
                                          stderr=subprocess.DEVNULL).returncode == 0,
                   what="nobody to use the disk any more", interval=0.1)
        self.mounted = False

    # -- full ------------------------------------------------------------------------------------

    def fill(self):
        """To the last block."""
        for size in (1 << 16, 1 << 10):
            with open(self.path / "filler", "ab", buffering=0) as filler:
                try:
                    while True:
                        filler.write(b"x" * size)
                except OSError:
                    pass
                os.fsync(filler.fileno())
        return self

    def make_room(self):
        (self.path / "filler").unlink()

    # -- slow ------------------------------------------------------------------------------------

    def slow_writer(self):
        """The environment of a process whose writes are to be slowed down by throttle_writer()."""
        return {"LD_PRELOAD": str(preloaded(self.image.parent, "slow_writes")), "PGC_SLOW_BELOW": str(self.path),
                "PGC_SLOW_RATE": str(self.image.parent / "rate")}

    def throttle_writer(self, bytes_per_second):
        (self.image.parent / "rate").write_text(str(bytes_per_second), encoding="ascii")

    def throttle(self, bytes_per_second):
        """Requires LIMIT."""
        LIMIT.write_text(f"{self._numbers()} {bytes_per_second}\n")

    def unthrottle(self):
        self.throttle_writer(0)
        if LIMIT.exists():
            LIMIT.write_text(f"{self._numbers()} 0\n")

    def _numbers(self):
        number = os.stat(self.device).st_rdev
        return f"{os.major(number)}:{os.minor(number)}"

    # -- standing still --------------------------------------------------------------------------

    def freeze(self):
        self._control(FREEZE)
        self.frozen = True

    def thaw(self):
        if self.frozen:
            self._control(THAW)
        self.frozen = False

    def _control(self, request):
        folder = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.ioctl(folder, request, 0)
        finally:
            os.close(folder)

    # -- broken ----------------------------------------------------------------------------------

    def find_an_error(self):
        """As ext4 does when it meets something that can't be: from then on nothing more is written."""
        pathlib.Path(f"/sys/fs/ext4/{os.path.basename(self.device)}/trigger_fs_error").write_text("a test\n")

    def repair(self):
        self.unmount()
        done = subprocess.run(["/usr/sbin/e2fsck", "-fy", self.device], check=False, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert done.returncode in (0, 1), done.stdout
        self.mount()
