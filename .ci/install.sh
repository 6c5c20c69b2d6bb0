# Step install. Sourced by .ci/run.

install_missing() {
  local tool packages=()
  for tool in go node npm git; do
    command -v "$tool" >/dev/null || fail "$tool is missing: install it first"
  done
  [[ $(node -p 'Number(process.versions.node.split(".")[0]) >= 20') == true ]] || fail "node 20 or newer is needed"

  [[ -n $(postgres_bin) || -n ${TEST_DATABASE_URL-} ]] || packages+=(postgresql)
  command -v curl >/dev/null || packages+=(curl ca-certificates)
  command -v gcc >/dev/null || packages+=(gcc libc6-dev) # the race detector is linked with C
  if [[ ${#packages[@]} -gt 0 ]]; then
    [[ $EUID -eq 0 ]] || fail "missing: ${packages[*]} (run as root to have them installed)"
    echo "installing ${packages[*]}"
    apt-get -qq update
    apt-get -qq -y --no-install-recommends install "${packages[@]}"
  fi

  if has_golangci; then
    echo "golangci-lint $golangci_version is here"
  else
    echo "building golangci-lint $golangci_version: some minutes"
    GOBIN=$(go env GOPATH)/bin go install "github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v$golangci_version"
    has_golangci || fail "golangci-lint $golangci_version was installed and is not found"
  fi

  npm_ci .ci/outside
  go version
  echo "node $(node --version), npm $(npm --version), $("$(postgres_bin)/postgres" --version 2>/dev/null || echo 'PostgreSQL elsewhere')"
}

has_golangci() {
  golangci-lint version 2>/dev/null | grep -qF " $golangci_version "
}

npm_ci() {
  (cd "$1" && npm ci --no-audit --no-fund --no-progress --loglevel=error)
}
