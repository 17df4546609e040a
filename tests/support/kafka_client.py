"""What the tests do with a broker through confluent-kafka: an implementation that is not ours.

    broker.create_topic("t", partitions=3, config={"max.message.bytes": "1000"})
    for record in broker.read_all("t"): …
    with Follower(broker.bootstrap, "t") as follower:     # while it is being written
        follower.wait_for(100)
"""

import dataclasses
import sys
import threading
import time
import uuid

from support.processes import PATIENCE, ROOT, patient, wait_until

_PACKAGES = ROOT / ".deps" / "python" / "lib" / f"python3.{sys.version_info.minor}" / "site-packages"
if not (_PACKAGES / "confluent_kafka").exists():
    raise FileNotFoundError("no confluent-kafka: run tools/kafka.sh")
if str(_PACKAGES) not in sys.path:
    sys.path.append(str(_PACKAGES))     # last: the packages of the machine come first

import confluent_kafka  # noqa: E402
from confluent_kafka import admin as kafka_admin  # noqa: E402

_CLIENT = {"socket.timeout.ms": 5000, "reconnect.backoff.ms": 50, "reconnect.backoff.max.ms": 500,
           "log_level": 0}
_UNKNOWN = (confluent_kafka.KafkaError.UNKNOWN_TOPIC_OR_PART,
            confluent_kafka.KafkaError._UNKNOWN_TOPIC, confluent_kafka.KafkaError._UNKNOWN_PARTITION,
            confluent_kafka.KafkaError.OFFSET_OUT_OF_RANGE)


@dataclasses.dataclass(frozen=True)
class Record:
    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: dict       # name -> bytes
    timestamp_ms: int

    @classmethod
    def of(cls, message):
        return cls(message.topic(), message.partition(), message.offset(), message.key(),
                   message.value(), dict(message.headers() or []), message.timestamp()[1])


def _consumer(bootstrap, **config):
    return confluent_kafka.Consumer({
        "bootstrap.servers": bootstrap, "group.id": f"tests-{uuid.uuid4()}",
        "enable.auto.commit": False, "auto.offset.reset": "earliest",
        "topic.metadata.refresh.interval.ms": 500, "fetch.wait.max.ms": 50,
        "fetch.error.backoff.ms": 50, **_CLIENT, **config})


# Of a topic that is just being made, or whose broker stood still for so long that it lost its place.
_NO_LEADER_YET = (confluent_kafka.KafkaError.NOT_LEADER_FOR_PARTITION,
                  confluent_kafka.KafkaError.LEADER_NOT_AVAILABLE,
                  confluent_kafka.KafkaError._UNKNOWN_PARTITION)


class Topics:
    """For whoever has a `bootstrap` on plain TCP: topics, their contents, users, ACLs."""

    _admin = None

    def admin(self):
        if self._admin is None:
            self._admin = kafka_admin.AdminClient({"bootstrap.servers": self.bootstrap, **_CLIENT})
        return self._admin

    def forget_admin(self):
        self._admin = None

    def metadata(self):
        """Asked again, by a new client, when nobody answers: a question that went to a broker that
        has just gone waits for that one.
        """
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return self.admin().list_topics(timeout=5)
            except confluent_kafka.KafkaException:
                self.forget_admin()
                if time.monotonic() > deadline:
                    raise

    @staticmethod
    def _done(futures, ignore=()):
        for future in futures.values():
            try:
                future.result(PATIENCE)
            except confluent_kafka.KafkaException as error:
                if error.args[0].code() not in ignore:
                    raise

    def broker_ids(self):
        try:
            return set(self.admin().list_topics(timeout=2).brokers)
        except confluent_kafka.KafkaException:
            return set()

    # -- topics -----------------------------------------------------------------------

    def topics(self):
        """Names of all topics but Kafka's own."""
        return sorted(t for t in self.metadata().topics if not t.startswith("__"))

    def partitions(self, topic):
        """How many partitions a topic has; 0: no such topic."""
        known = self.metadata().topics.get(topic)
        return len(known.partitions) if known else 0

    def leaders(self, topic):
        """partition -> node id of its leader (-1: none)"""
        known = self.metadata().topics[topic]
        return {number: p.leader for number, p in known.partitions.items()}

    def create_topic(self, topic, partitions=1, replicas=1, config=None):
        self.create_topics([topic], partitions, replicas, config)

    def create_topics(self, topics, partitions=1, replicas=1, config=None):
        self._done(self.admin().create_topics([kafka_admin.NewTopic(
            topic, num_partitions=partitions, replication_factor=replicas, config=config or {})
            for topic in topics]))

        def there():
            known = self.metadata().topics
            return all(topic in known and len(known[topic].partitions) == partitions for topic in topics)
        wait_until(there, PATIENCE, f"topic {topics[0]}" + (f" and {len(topics) - 1} more" if len(topics) > 1 else ""))

    def delete_topic(self, topic):
        self._done(self.admin().delete_topics([topic], operation_timeout=20))
        wait_until(lambda: not self.partitions(topic), PATIENCE, f"the end of topic {topic}")

    def add_partitions(self, topic, total):
        self._done(self.admin().create_partitions([kafka_admin.NewPartitions(topic, total)]))
        wait_until(lambda: self.partitions(topic) == total, PATIENCE, f"partitions of {topic}")

    def topic_config(self, topic):
        resource = kafka_admin.ConfigResource("topic", topic)
        entries = self.admin().describe_configs([resource])[resource].result(PATIENCE)
        return {name: entry.value for name, entry in entries.items()}

    def _alter(self, kind, name, values):
        entries = [kafka_admin.ConfigEntry(
            key, value, incremental_operation=kafka_admin.AlterConfigOpType.SET if value is not None
            else kafka_admin.AlterConfigOpType.DELETE) for key, value in values.items()]
        self._done(self.admin().incremental_alter_configs(
            [kafka_admin.ConfigResource(kind, name, incremental_configs=entries)]))

    def set_topic_config(self, topic, **values):
        """Underscores stand for dots; None gives back the default."""
        self._alter("topic", topic, {k.replace("_", "."): v for k, v in values.items()})

    def set_broker_config(self, **values):
        self._alter("broker", str(self.node), {k.replace("_", "."): v for k, v in values.items()})

    # -- users and rights ---------------------------------------------------------------

    def set_scram_passwords(self, users, iterations=4096):
        """By both hashes, each in a request of its own: a user is altered once in a request."""
        for kind in (kafka_admin.ScramMechanism.SCRAM_SHA_256, kafka_admin.ScramMechanism.SCRAM_SHA_512):
            self._done(self.admin().alter_user_scram_credentials([
                kafka_admin.UserScramCredentialUpsertion(
                    name, kafka_admin.ScramCredentialInfo(kind, iterations), password.encode())
                for name, password in users.items()]))

    @staticmethod
    def _acl(user, operation, topic, permission):
        return kafka_admin.AclBinding(
            kafka_admin.ResourceType.TOPIC, topic, kafka_admin.ResourcePatternType.LITERAL,
            f"User:{user}", "*", kafka_admin.AclOperation[operation],
            kafka_admin.AclPermissionType[permission])

    def deny(self, user, operation, topic):
        """operation: WRITE, READ, DESCRIBE, CREATE … Everybody else may still do everything."""
        self._done(self.admin().create_acls([self._acl(user, operation, topic, "DENY"),
                                             self._acl("*", "ALL", topic, "ALLOW")]))
        self.wait_acls(topic, 2)

    def allow_again(self, topic):
        self._done(self.admin().delete_acls([self._acls_of(topic)]))
        self.wait_acls(topic, 0)

    @staticmethod
    def _acls_of(topic):
        return kafka_admin.AclBindingFilter(
            kafka_admin.ResourceType.TOPIC, topic, kafka_admin.ResourcePatternType.LITERAL, None, None,
            kafka_admin.AclOperation.ANY, kafka_admin.AclPermissionType.ANY)

    def wait_acls(self, topic, count):
        """Until the broker goes by that many (at least; 0: by none): it learns of them a moment after
        they are stored."""
        def known():
            return len(self.admin().describe_acls(self._acls_of(topic)).result(PATIENCE))
        wait_until(lambda: known() >= count if count else not known(), PATIENCE, f"the ACLs of {topic}")

    # -- contents -----------------------------------------------------------------------

    def produce(self, topic, records, **config):
        """records: (key, value) or (key, value, partition); returns when all are acknowledged."""
        producer = confluent_kafka.Producer({"bootstrap.servers": self.bootstrap, **_CLIENT, **config})
        failed = []
        for key, value, *partition in records:
            producer.produce(topic, value, key, *partition,
                             on_delivery=lambda error, _: failed.append(error) if error else None)
            producer.poll(0)
        left = producer.flush(PATIENCE)
        assert not left and not failed, f"{left} records not sent, errors: {failed[:3]}"

    def end_offsets(self, topic):
        """partition -> (first offset, offset after the last record); the topic must exist"""
        consumer = _consumer(self.bootstrap)

        def asked():
            try:
                return {p: consumer.get_watermark_offsets(confluent_kafka.TopicPartition(topic, p), 30)
                        for p in range(self.partitions(topic))}
            except confluent_kafka.KafkaException as error:
                if error.args[0].code() in _NO_LEADER_YET:
                    return None
                raise

        try:
            return wait_until(asked, PATIENCE, f"offsets of {topic}")
        finally:
            consumer.close()

    def read_all(self, topic, timeout=2 * PATIENCE):
        """Every record of a topic as it is now: partition by partition in order, interleaved."""
        bounds = {p: (begin, end) for p, (begin, end) in self.end_offsets(topic).items() if end > begin}
        ends = {p: end for p, (_, end) in bounds.items()}
        consumer = _consumer(self.bootstrap)
        records, deadline = [], time.monotonic() + timeout
        try:
            # By number: looking up where the beginning is takes librdkafka half a second.
            consumer.assign([confluent_kafka.TopicPartition(topic, p, begin)
                             for p, (begin, _) in bounds.items()])
            position = dict.fromkeys(ends, 0)
            while any(position[p] < end for p, end in ends.items()):
                assert time.monotonic() < deadline, f"{topic}: read only up to {position} of {ends}"
                for message in consumer.consume(5000, 0.05):
                    if message.error():
                        raise confluent_kafka.KafkaException(message.error())
                    if message.offset() < ends[message.partition()]:
                        records.append(Record.of(message))
                for place in consumer.position([confluent_kafka.TopicPartition(topic, p) for p in ends]):
                    position[place.partition] = max(position[place.partition], place.offset)
        finally:
            consumer.close()
        return records

    def count_committed(self, topic, timeout=2 * PATIENCE):
        """How many records of a topic with one partition are committed."""
        _, end = self.end_offsets(topic)[0]
        place = confluent_kafka.TopicPartition(topic, 0, 0)
        consumer = _consumer(self.bootstrap)
        count, deadline = 0, time.monotonic() + timeout
        try:
            consumer.assign([place])
            while consumer.position([place])[0].offset < end:
                assert time.monotonic() < deadline, f"{topic}: not all of it is committed"
                count += sum(1 for message in consumer.consume(10_000, 0.2) if not message.error())
        finally:
            consumer.close()
        return count


class Follower:
    """Reads topics from their beginning while they are written, on a thread of its own.

    Topics may come, go away and come again. `see`, if given, is called with each Record on
    that thread and the records are not kept; what it raises, stop() and wait_for() raise.
    `count` says how many came.
    """

    def __init__(self, bootstrap, *topics, see=None, **config):
        self._consumer = _consumer(bootstrap, **config)
        self._topics = topics
        self._see = see
        self._records = []
        self._assigned = {}
        self._ends = None
        self.count = 0
        self.failure = None
        self._stopping = threading.Event()
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="follower", daemon=True)
        self._thread.start()

    def _assign(self):
        """Adds partitions that are new; a topic made again starts over at its beginning."""
        try:
            known = self._consumer.list_topics(timeout=2).topics
        except confluent_kafka.KafkaException:
            return
        there = {(t, p) for t in self._topics if t in known and not known[t].error
                 for p in known[t].partitions}
        if there == set(self._assigned):
            return
        for gone in set(self._assigned) - there:
            del self._assigned[gone]
        for new in there - set(self._assigned):
            self._assigned[new] = 0     # or the earliest there is
        self._consumer.assign([confluent_kafka.TopicPartition(t, p, offset)
                               for (t, p), offset in self._assigned.items()])

    def _work(self):
        next_look = 0.0
        try:
            while not self._stopping.is_set():
                if time.monotonic() >= next_look:
                    known = {topic for topic, _ in self._assigned}
                    if len(known) < len(self._topics) or next_look == -1.0:
                        self._assign()
                    next_look = time.monotonic() + 0.3
                first = self._consumer.poll(0.05)   # returns at once when there is something
                messages = [first, *self._consumer.consume(2000, 0)] if first is not None else []
                lost = False
                for message in messages:
                    if message.error():
                        lost |= message.error().code() in _UNKNOWN
                        continue
                    self._assigned[message.topic(), message.partition()] = message.offset() + 1
                    record = Record.of(message)
                    if self._see:
                        self._see(record)
                    else:
                        self._records.append(record)
                    self.count += 1
                if lost:
                    next_look = -1.0
                    self._assigned.clear()
                if self._ends and self._is_past_the_ends():
                    self._ends = None
                if messages:
                    with self._changed:
                        self._changed.notify_all()
        except BaseException as error:  # raised again where the test waits
            self.failure = error
            with self._changed:
                self._changed.notify_all()

    @property
    def records(self):
        return list(self._records)

    def read_up_to(self, ends, timeout=PATIENCE):
        """Waits until all before these offsets, (topic, partition) -> offset, is read: marks of transactions, too."""
        self._ends = ends
        self.wait_for(lambda: self._ends is None, timeout)

    def _is_past_the_ends(self):
        """Asked on its own thread: two would wait for each other inside the client."""
        places = self._consumer.position([confluent_kafka.TopicPartition(t, p) for t, p in self._ends])
        return all(max(place.offset, self._assigned.get((place.topic, place.partition), 0))
                   >= self._ends[place.topic, place.partition] for place in places)

    def wait_for(self, what, timeout=PATIENCE):
        """Waits for a number of records or for a condition that holds."""
        timeout = patient(timeout)
        enough = what if callable(what) else lambda: self.count >= what
        deadline = time.monotonic() + timeout
        with self._changed:
            while not enough():
                if self.failure:
                    raise self.failure
                left = deadline - time.monotonic()
                assert left > 0, f"waited {timeout} s for {what}, got {self.count} records"
                self._changed.wait(min(left, 0.1))
        return self.records

    def stop(self):
        if self._thread.is_alive():
            self._stopping.set()
            self._thread.join(PATIENCE)
            self._consumer.close()
        if self.failure:
            raise self.failure

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        try:
            self.stop()
        except BaseException:
            if kind is None:
                raise
