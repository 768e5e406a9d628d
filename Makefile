.PHONY: build sbom test lint bench fuzz testdata ci

build:
	go build -trimpath -ldflags "-s -w" -o flowlog .

# The modules that the program is made of, with their versions and checksums.
sbom: build
	go version -m flowlog

test:
	go test ./...

lint:
	.ci/run format vet lint

# Six runs each, for benchstat: make bench >old.txt, change something, make bench >new.txt.
bench:
	@go test -run '^$$' -bench . -benchmem -count 6 ./...

fuzz:
	.ci/run fuzz

# Writes the sample logs and databases anew. Without a change to the generators nothing changes.
testdata:
	cd testdata/gen && go run ./logs -out .. && go run ./geo ../geo && go run ./topology && python3 topology/bill.py ../topology

ci:
	.ci/run
