# Stands in for eclipse-mosquitto where no registry answers: the distribution's mosquitto, started as that image does.
FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends mosquitto && mkdir -p /mosquitto/config
CMD ["/usr/sbin/mosquitto", "-c", "/mosquitto/config/mosquitto.conf"]
