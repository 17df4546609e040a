"""Real Kafka brokers for the tests: private, on loopback, gone afterwards.

    with KafkaBroker() as broker:
        broker.create_topic("t", partitions=3)
        …                                   # clients use broker.bootstrap
        records = broker.read_all("t")

CURRENT and SOUND run without ZooKeeper; OLD with one of its own. As root the broker runs as
`nobody`, like the PostgreSQL servers. All brokers start within two or three seconds;
`start=False`, begin() and wait_ready() let several start at once.
"""

import base64
import os
import pathlib
import re
import shutil
import signal
import subprocess
import uuid

from support import kafka_client
from support.cut_proxy import CutProxy
from support.processes import (
    ROOT, RUN, as_server_user, exclusive, free_port, remove_directory, run_directory, server_base,
    spawn, wait_until,
)
from support.servers import certificates, own
from support.tokens import token_keys

CURRENT = "4.3.1"
# The last before KAFKA-20734: where brokers are killed inside of transactions, the marks of which a
# 4.3 may lose.
SOUND = "4.2.0"
OLD = "2.8.2"
VERSIONS = [CURRENT, SOUND, OLD]
HOST = "127.0.0.1"

# Seen to start fastest and to be light: tests are many short lives.
_JVM = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xms64m", "-Xmx384m"]

_SESSION_MS = 4000

# What the tools are called since they were moved out of the core, and before.
_TOOLS = {
    "console-consumer": ("org.apache.kafka.tools.consumer.ConsoleConsumer", "kafka.tools.ConsoleConsumer"),
    "console-producer": ("org.apache.kafka.tools.ConsoleProducer", "kafka.tools.ConsoleProducer"),
    "configs": ("kafka.admin.ConfigCommand", "kafka.admin.ConfigCommand"),
    "topics": ("org.apache.kafka.tools.TopicCommand", "kafka.admin.TopicCommand"),
    "acls": ("org.apache.kafka.tools.AclCommand", "kafka.admin.AclCommand"),
}

_SETTINGS = {
    "num.network.threads": 2,
    "num.io.threads": 4,
    "num.partitions": 1,
    "offsets.topic.num.partitions": 1,
    "offsets.topic.replication.factor": 1,
    "transaction.state.log.num.partitions": 1,
    "transaction.state.log.replication.factor": 1,
    "transaction.state.log.min.isr": 1,
    "group.initial.rebalance.delay.ms": 0,
    "log.cleaner.dedupe.buffer.size": 4194304,
    "log.segment.delete.delay.ms": 1000,
    "controlled.shutdown.enable": "true",
    "delete.topic.enable": "true",
    # Deleted and lost topics stay away: only pg-capture may make them again.
    "auto.create.topics.enable": "false",
}

# For Java that logs by log4j2: all of it to standard output.
LOG4J2 = """
rootLogger.level={level}
rootLogger.appenderRefs=out
rootLogger.appenderRef.out.ref=out
appender.out.type=Console
appender.out.name=out
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d %p %c{{1}}: %m%n
"""
_LOG4J2 = LOG4J2.format(level="INFO")
_LOG4J1 = """
log4j.rootLogger=INFO, out
log4j.appender.out=org.apache.log4j.ConsoleAppender
log4j.appender.out.layout=org.apache.log4j.PatternLayout
log4j.appender.out.layout.ConversionPattern=%d %p %c{1}: %m%n
"""


def jars(version):
    """Where a version's jars are, in a place the broker's user can read."""
    installed = ROOT / ".deps" / "kafka" / version
    if not any(installed.glob("kafka_*.jar")):
        raise FileNotFoundError(f"no Kafka {version}: run tools/kafka.sh")
    if server_base() == RUN:
        return installed
    copy = server_base() / "kafka" / version
    with exclusive(server_base() / "kafka" / f"{version}.lock"):
        if not copy.exists():
            making = copy.with_suffix(".new")
            shutil.copytree(installed, making)
            making.rename(copy)
    return copy


def _java(version, *arguments, jvm=(), temporary):
    log = "-Dlog4j2.configurationFile" if version != OLD else "-Dlog4j.configuration"
    return ["/usr/bin/java", *jvm, "-XX:-UsePerfData", f"{log}=file:{temporary}/log4j.properties",
            f"-Djava.io.tmpdir={temporary}", "-cp", f"{jars(version)}/*", *map(str, arguments)]


def _environment():
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}


def _bootstrap_records(version):
    """The first records of a new cluster's metadata, made once a clone by Kafka's own tool."""
    template = server_base() / "templates" / f"kafka-{version}"
    with exclusive(server_base() / "templates" / f"kafka-{version}.lock"):
        if not template.exists():
            making = template.with_suffix(".new")
            shutil.rmtree(making, ignore_errors=True)
            making.mkdir(parents=True)
            (making / "log4j.properties").write_text(_LOG4J2)
            (making / "server.properties").write_text(
                "process.roles=broker,controller\nnode.id=1\nlisteners=PLAINTEXT://127.0.0.1:9092,"
                "CONTROLLER://127.0.0.1:9093\ncontroller.listener.names=CONTROLLER\n"
                f"controller.quorum.voters=1@127.0.0.1:9093\nlog.dirs={making}/data\n")
            done = subprocess.run(
                _java(version, "kafka.tools.StorageTool", "format", "-t", _CLUSTER, "-c",
                      making / "server.properties", temporary=making),
                env=_environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, text=True, check=False)
            if done.returncode != 0:
                raise RuntimeError(f"formatting Kafka's storage failed:\n{done.stdout}")
            making.chmod(0o755)
            making.rename(template)
    return template / "data" / "bootstrap.checkpoint"


def _short_uuid():
    return base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")


_CLUSTER = "cGctY2FwdHVyZS10ZXN0cw"


class _Java:
    """One Java process of ours with its log, ended with us."""

    def __init__(self, what, directory, command, environment):
        self.what, self.directory, self.command = what, directory, command
        self.environment = environment
        self.log = directory / f"{what}.log"
        self.process = None
        self._read_from = 0

    @property
    def running(self):
        return self.process is not None and self.process.poll() is None

    def mark(self):
        """From here on wait_for_log() reads."""
        self._read_from = self.log.stat().st_size if self.log.exists() else 0

    def begin(self):
        assert not self.running, f"{self.what} is already running"
        self.mark()
        with open(self.log, "ab") as log:
            self.process = spawn(
                [*as_server_user(), "/usr/bin/setpriv", "--pdeathsig", "KILL", *self.command],
                death_signal=signal.SIGKILL, stdout=log, stderr=log, cwd=self.directory,
                env=self.environment, start_new_session=True)

    def wait_for_log(self, pattern, timeout):
        def there():
            with open(self.log, "rb") as log:
                log.seek(self._read_from)
                text = log.read().decode(errors="replace")
            if re.search(pattern, text):
                return True
            if not self.running:
                raise RuntimeError(f"{self.what} ended at start:\n{self.tail()}")
            return False

        try:
            wait_until(there, timeout, f"{self.what} to start", interval=0.05)
        except TimeoutError as error:
            raise TimeoutError(f"{error}\n{self.tail()}") from error

    def stop(self, timeout):
        if not self.running:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def kill(self):
        if self.running:
            self.process.kill()
            self.process.wait()

    def tail(self, lines=40):
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        except OSError:
            return ""


class KafkaBroker(kafka_client.Topics):
    """One broker. Starts in the constructor unless `start=False`.

    settings    server.properties, over ours
    secure      adds the listeners SASL_SSL (PLAIN, SCRAM, OAUTHBEARER by tokens of
                support.tokens), SSL (client certificates of certificates()) and an authorizer
                that allows everything until an ACL forbids it
    users       names and passwords of SASL users, by PLAIN and by SCRAM
    proxied     adds a listener that is reached through `self.proxy`, a CutProxy
    controller  another broker: this one joins its cluster as node `node`
    jvm         flags of the Java machine instead of ours

    Clients on plain TCP are superusers. Addresses: bootstrap, sasl_bootstrap, ssl_bootstrap,
    proxied_bootstrap.
    """

    def __init__(self, version=CURRENT, *, settings=None, secure=False, users=None, proxied=False,
                 controller=None, node=1, jvm=None, start=True):
        self.version, self.node, self.secure = version, node, secure
        self.users = dict(users or {})
        self.ports = {"PLAINTEXT": free_port()}
        if secure:
            self.ports |= {"SASLSSL": free_port(), "SSL": free_port()}
        if proxied:
            self.ports["PROXIED"] = free_port()
        self.controller_port = free_port()      # on the old version: ZooKeeper's
        self._controller = controller or self
        self.directory = run_directory(f"kafka{version}", server_base())
        self.proxy = None
        self._zookeeper = None
        self._session_left = False      # in ZooKeeper, of a killed broker
        self._configured = {}
        try:
            if proxied:
                self.proxy = CutProxy(HOST, self.ports["PROXIED"])
            self._prepare(dict(_SETTINGS, **(settings or {})))
            jvm = [*(_JVM if jvm is None else jvm), *self._jvm_properties()]
            self._broker = _Java("broker", self.directory, _java(
                version, "kafka.Kafka", self.directory / "server.properties", jvm=jvm,
                temporary=self.directory), _environment())
            if start:
                self.start()
        except BaseException:
            self.close()
            raise

    # -- addresses --------------------------------------------------------------------

    def address(self, listener):
        return f"{HOST}:{self.ports[listener]}"

    @property
    def bootstrap(self):
        return self.address("PLAINTEXT")

    @property
    def sasl_bootstrap(self):
        return self.address("SASLSSL")

    @property
    def ssl_bootstrap(self):
        return self.address("SSL")

    @property
    def proxied_bootstrap(self):
        return f"{self.proxy.host}:{self.proxy.port}"

    # -- set-up -----------------------------------------------------------------------

    def _prepare(self, settings):
        data = self.directory / "data"
        data.mkdir()
        self.directory.chmod(0o755)
        current = self.version != OLD
        (self.directory / "log4j.properties").write_text(_LOG4J2 if current else _LOG4J1)
        settings["log.dirs"] = data
        advertised = dict(self.ports)
        if self.proxy:
            advertised["PROXIED"] = self.proxy.port
        protocols = {name: {"SASLSSL": "SASL_SSL", "SSL": "SSL"}.get(name, "PLAINTEXT")
                     for name in self.ports}
        listeners = [f"{n}://{HOST}:{p}" for n, p in self.ports.items()]
        settings["advertised.listeners"] = ",".join(f"{n}://{HOST}:{p}" for n, p in advertised.items())
        settings["inter.broker.listener.name"] = "PLAINTEXT"
        if current:
            self._prepare_kraft(settings, listeners, protocols, data)
        else:
            self._prepare_zookeeper(settings)
        settings["listeners"] = ",".join(listeners)
        settings["listener.security.protocol.map"] = ",".join(f"{n}:{p}" for n, p in protocols.items())
        if self.secure:
            settings |= self._security()
        (self.directory / "server.properties").write_text(
            "".join(f"{k}={v}\n" for k, v in settings.items()))
        own(self.directory)

    def _prepare_kraft(self, settings, listeners, protocols, data):
        leads = self._controller is self
        settings["process.roles"] = "broker,controller" if leads else "broker"
        settings["node.id"] = self.node
        voter = self._controller
        settings["controller.quorum.voters"] = f"{voter.node}@{HOST}:{voter.controller_port}"
        settings["controller.listener.names"] = "CONTROLLER"
        # A killed broker is let in again when its old session has ended; one that lives must not
        # lose its place because the machine is busy.
        settings["broker.session.timeout.ms"] = _SESSION_MS
        settings["broker.heartbeat.interval.ms"] = 250
        settings["share.coordinator.state.topic.replication.factor"] = 1
        settings["share.coordinator.state.topic.min.isr"] = 1
        protocols["CONTROLLER"] = "PLAINTEXT"
        if leads:
            listeners.append(f"CONTROLLER://{HOST}:{self.controller_port}")
        (data / "meta.properties").write_text(
            f"version=1\ncluster.id={_CLUSTER}\nnode.id={self.node}\ndirectory.id={_short_uuid()}\n")
        shutil.copy(_bootstrap_records(self.version), data / "bootstrap.checkpoint")

    def _prepare_zookeeper(self, settings):
        settings["broker.id"] = self.node
        settings["zookeeper.connect"] = f"{HOST}:{self._controller.controller_port}"
        settings["zookeeper.session.timeout.ms"] = _SESSION_MS
        if self._controller is not self:
            return
        (self.directory / "zoo.cfg").write_text(
            f"dataDir={self.directory}/zookeeper\nclientPort={self.controller_port}\n"
            f"clientPortAddress={HOST}\ntickTime=500\nadmin.enableServer=false\n")
        self._zookeeper = _Java("zookeeper", self.directory, _java(
            self.version, "org.apache.zookeeper.server.quorum.QuorumPeerMain",
            self.directory / "zoo.cfg", jvm=[*_JVM[:2], "-Xmx96m"],
            temporary=self.directory), _environment())

    def _security(self):
        home = certificates()
        shutil.copy(home / "ca.crt", self.directory / "ca.crt")
        # PKCS #12: in a PEM file 2.8 insists on an encrypted key.
        subprocess.run(["/usr/bin/openssl", "pkcs12", "-export", "-in", home / "server.crt", "-inkey",
                        home / "server.key", "-out", self.directory / "server.p12", "-passout",
                        "pass:loopback"], check=True, stdin=subprocess.DEVNULL)
        authorizer = ("org.apache.kafka.metadata.authorizer.StandardAuthorizer"
                      if self.version != OLD else "kafka.security.authorizer.AclAuthorizer")
        settings = {
            "ssl.keystore.type": "PKCS12", "ssl.keystore.location": self.directory / "server.p12",
            "ssl.keystore.password": "loopback",
            "ssl.truststore.type": "PEM", "ssl.truststore.location": self.directory / "ca.crt",
            "listener.name.ssl.ssl.client.auth": "required",
            "authorizer.class.name": authorizer,
            "super.users": "User:ANONYMOUS",
            "allow.everyone.if.no.acl.found": "true",
        }
        sasl, modules = "listener.name.saslssl", "org.apache.kafka.common.security"
        mechanisms = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]
        passwords = " ".join(f'user_{n}="{p}"' for n, p in self.users.items())
        settings[f"{sasl}.plain.sasl.jaas.config"] = f"{modules}.plain.PlainLoginModule required {passwords};"
        for scram in mechanisms[1:]:
            settings[f"{sasl}.{scram.lower()}.sasl.jaas.config"] = f"{modules}.scram.ScramLoginModule required;"
        if self.version != OLD:
            mechanisms.append("OAUTHBEARER")
            bearer = f"{sasl}.oauthbearer"
            settings |= {
                f"{bearer}.sasl.jaas.config": f"{modules}.oauthbearer.OAuthBearerLoginModule required;",
                f"{bearer}.sasl.server.callback.handler.class":
                    f"{modules}.oauthbearer.OAuthBearerValidatorCallbackHandler",
                f"{bearer}.sasl.oauthbearer.jwks.endpoint.url": self._key_set(),
                f"{bearer}.sasl.oauthbearer.expected.audience": "kafka",
            }
        settings[f"{sasl}.sasl.enabled.mechanisms"] = ",".join(mechanisms)
        return settings

    def _key_set(self):
        shutil.copy(token_keys() / "jwks.json", self.directory / "jwks.json")
        return f"file://{self.directory}/jwks.json"

    def _jvm_properties(self):
        if not self.secure or self.version == OLD:
            return []
        return [f"-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls={self._key_set()}"]

    # -- life -------------------------------------------------------------------------

    @property
    def pid(self):
        return self._broker.process.pid if self._broker.process else None

    @property
    def running(self):
        return self._broker.running

    def begin(self):
        """Starts it and returns at once; wait_ready() does the rest."""
        if self._zookeeper is not None and not self._zookeeper.running:
            self._zookeeper.begin()
            self._zookeeper.wait_for_log(r"binding to port", 60.0)
        if self._session_left:
            self._zookeeper.wait_for_log("Expiring session", 60.0)
            self._session_left = False
        self._broker.begin()
        return self

    def wait_ready(self, timeout=180.0):
        """Returns when the log says so and a client gets an answer that names this broker."""
        self._broker.wait_for_log(r"Kafka Server started|\[KafkaServer id=\d+\] started", timeout)
        wait_until(lambda: self.node in self.broker_ids(), timeout, "an answer of the broker")
        if self.users and self.users != self._configured:
            self.set_scram_passwords(self.users)
            self._configured = dict(self.users)
        return self

    def start(self, timeout=180.0):
        self.begin()
        return self.wait_ready(timeout)

    def stop(self, timeout=60.0):
        """A clean shutdown (SIGTERM): leaders move away first, files are closed."""
        self._broker.stop(timeout)

    def crash(self):
        """kill -9. ZooKeeper, where there is one, lives on, and with it the broker's session."""
        if self._zookeeper is not None and self.running:
            self._zookeeper.mark()
            self._session_left = True
        self._broker.kill()

    def restart(self, timeout=180.0):
        self.stop()
        return self.start(timeout)

    def freeze(self):
        """SIGSTOP: connections stay, nothing is answered. resume() undoes it."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self):
        os.kill(self.pid, signal.SIGCONT)

    def log_tail(self, lines=40):
        return self._broker.tail(lines)

    def dropped_marks(self):
        """What it said of transactions that it ended without their marks in partitions that had no leader just then.

        4.3.0 and 4.3.1 do (KAFKA-20734), and take them for deleted. Whoever deletes no topics sees none with another
        broker. Such records are decided by the next mark of the same producer: aborted ones can be read, committed ones not.
        """
        lines = self._broker.log.read_text(errors="replace").splitlines()
        return [line for line in lines if "are likely deleted already and hence can be skipped" in line]

    def close(self):
        self.forget_admin()
        for process in (getattr(self, "_broker", None), self._zookeeper):
            if process is not None:
                process.kill()
        if self.proxy is not None:
            self.proxy.close()
        if not os.environ.get("PG_CAPTURE_TEST_KEEP"):
            remove_directory(self.directory)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # -- Kafka's own tools --------------------------------------------------------------

    def tool(self, name, *arguments, input_text=None, timeout=180.0):
        """Runs one of Kafka's command line tools against this broker; returns its output."""
        current, old = _TOOLS[name]
        done = subprocess.run(
            _java(self.version, current if self.version != OLD else old, "--bootstrap-server",
                  self.bootstrap, *arguments, jvm=[*_JVM[:2], "-Xmx128m"], temporary=self._quiet()),
            env=_environment(), input=input_text, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL if input_text is None else None, text=True, check=False,
            timeout=timeout)
        if done.returncode != 0:
            raise RuntimeError(f"Kafka's {name} failed:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
        return done.stdout

    def _quiet(self):
        """A directory with a log configuration for tools: their output is read by tests."""
        path = self.directory / "tools"
        if not path.exists():
            path.mkdir()
            text = (_LOG4J2 if self.version != OLD else _LOG4J1).replace("INFO", "OFF")
            (path / "log4j.properties").write_text(text)
        return path

    def console_consumer(self, topic, count, *properties, timeout=180.0):
        """The first `count` records of a topic as Kafka's console consumer prints them: a list
        of lines. properties: "print.key=true", "print.headers=true" …
        """
        flag = "--formatter-property" if self.version != OLD else "--property"
        given = [word for text in properties for word in (flag, text)]
        text = self.tool("console-consumer", "--topic", topic, "--from-beginning", "--max-messages",
                         count, "--timeout-ms", 60000, *given, timeout=timeout)
        return text.removesuffix("\n").split("\n")

    def console_producer(self, topic, lines, *properties, timeout=180.0):
        """Writes lines with Kafka's own producer. properties: "parse.key=true" …"""
        flag = "--reader-property" if self.version != OLD else "--property"
        given = [word for text in properties for word in (flag, text)]
        self.tool("console-producer", "--topic", topic, *given,
                  input_text="".join(line + "\n" for line in lines), timeout=timeout)
