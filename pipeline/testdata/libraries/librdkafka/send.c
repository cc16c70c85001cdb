#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <string.h>

static char text[20000];

static rd_kafka_t *client(rd_kafka_type_t type, const char *const *settings) {
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char error[200];
	for (; *settings; settings += 2)
		if (rd_kafka_conf_set(conf, settings[0], settings[1], error, sizeof error))
			return 0;
	return rd_kafka_new(type, conf, error, sizeof error);
}

/* sendAndGet returns the line of what is wrong, or 0. */
int sendAndGet(const char *compression) {
	const char *mock[] = {"test.mock.num.brokers", "1", "log_level", "0", 0};
	rd_kafka_t *owner = client(RD_KAFKA_PRODUCER, mock);
	if (!owner)
		return __LINE__;
	const char *brokers = rd_kafka_mock_cluster_bootstraps(rd_kafka_handle_mock_cluster(owner));
	const char *of_producer[] = {"bootstrap.servers", brokers, "compression.type", compression, 0};
	rd_kafka_t *producer = client(RD_KAFKA_PRODUCER, of_producer);
	const char *of_consumer[] = {"bootstrap.servers", brokers, "group.id", "g", "auto.offset.reset", "earliest", 0};
	rd_kafka_t *consumer = client(RD_KAFKA_CONSUMER, of_consumer);
	if (!producer || !consumer)
		return __LINE__;
	memset(text, 'x', sizeof text);
	if (rd_kafka_producev(producer, RD_KAFKA_V_TOPIC("t"), RD_KAFKA_V_VALUE(text, sizeof text), RD_KAFKA_V_END))
		return __LINE__;
	if (rd_kafka_flush(producer, 60000))
		return __LINE__;
	rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
	rd_kafka_topic_partition_list_add(topics, "t", RD_KAFKA_PARTITION_UA);
	if (rd_kafka_subscribe(consumer, topics))
		return __LINE__;
	rd_kafka_message_t *got = 0;
	for (int i = 0; i < 60 && !got; i++) {
		got = rd_kafka_consumer_poll(consumer, 1000);
		if (got && got->err) { /* the topic is not known yet */
			rd_kafka_message_destroy(got);
			got = 0;
		}
	}
	if (!got || got->len != sizeof text || memcmp(got->payload, text, sizeof text))
		return __LINE__;
	return 0;
}
