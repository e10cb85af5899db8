# A server of Spark Connect, from Spark's own wheel: docker build --file deploy/spark/server.Dockerfile deploy/spark
ARG PYTHON=python:3.11.16-slim-bookworm@sha256:a36c24f9cbdf4fd0f52d67f0823eeac19c2028c637cecc392d97f980d4fec56b
FROM ${PYTHON}

# The same version as the client's in requirements-spark.txt.
ARG SPARK=4.2.0
RUN apt-get update \
    && apt-get install --yes --no-install-recommends openjdk-17-jre-headless procps \
    && rm -rf /var/lib/apt/lists/* \
    && pip install --no-cache-dir --disable-pip-version-check "pyspark==${SPARK}" \
    && groupadd --gid 1000 skg \
    && useradd --uid 1000 --gid skg --home-dir /tmp --no-create-home --shell /usr/sbin/nologin skg

# The same user as the service's, so that each can read the other's files in the exchange.
USER 1000:1000
ENV SPARK_HOME=/usr/local/lib/python3.11/site-packages/pyspark \
    HOME=/tmp
EXPOSE 15002
# One process, on all cores that it gets. A cluster is a matter of --master.
ENTRYPOINT ["spark-submit", "--class", "org.apache.spark.sql.connect.service.SparkConnectServer", \
    "--conf", "spark.ui.enabled=false", "--conf", "spark.local.dir=/tmp"]
CMD ["--master", "local[*]", "--conf", "spark.driver.memory=4g", "spark-internal"]
