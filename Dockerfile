# torsor in a container, set up by the same script as everywhere:
#
#   docker build -t torsor .
#   docker run --rm -v "$PWD/demo:/demo" torsor        trains the demonstration; then open demo/index.html
#   docker run --rm -v "$PWD:/data" -w /data torsor translate MODEL IN OUT      any other command
#
# scripts/try-bare-root.sh --dockerfile runs these steps without Docker.
FROM debian:12
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates make
WORKDIR /torsor
COPY scripts scripts
RUN scripts/setup.sh
COPY . .
RUN make program
ENTRYPOINT ["/torsor/build/torsor"]
CMD ["demo", "--out", "/demo", "--overwrite"]
