// Topology writes the network in testdata/topology: what is in it, what was sent, what flow logs say of it in three
// formats and of its transit gateway in one, what the inventory said at four times, and what is true. The same version of it writes the same bytes
// everywhere.
//
//	network, transfers → way of each through the network → what refuses it → points that log it → windows → formats
//
//	go run ./topology -out ../topology                   what is committed
//	go run ./topology -size 5000 -seed 7 -out /tmp/net   a random network with 5,000 transfers
//
// Files, each uses only those above it:
//
//	network.go             interfaces, subnets, routes, rules
//	way.go filter.go       the points that a transfer passes, and which of them refuses it
//	transfer.go            transfers and their records
//	format.go transit.go   a record as a line, and a transit gateway's
//	inventory.go services.go changes.go  what the aws CLI and AWS Config would say
//	truth.go               connections, names, verdicts
//	small.go traffic.go events.go  the committed network and its day
//	random.go              a random one
package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"
)

func main() {
	out := flag.String("out", "../topology", "the `folder` to write to")
	size := flag.Int("size", 0, "write a random network with `N` transfers")
	seed := flag.Uint64("seed", 1, "what chance begins with, for -size")
	flag.Parse()
	if err := run(*out, *size, *seed); err != nil {
		fmt.Fprintln(os.Stderr, "topology:", err)
		os.Exit(1)
	}
}

func run(out string, size int, seed uint64) error {
	var n *network
	var transfers []*transfer
	if size > 0 {
		n, transfers = random(seed, size)
	} else {
		n = small()
		transfers = smallTraffic(n)
	}
	files := map[string][]byte{
		"topology.json": document(n), "transfers.tsv": transfersFile(transfers), "prices.yaml": []byte(prices), "ip-ranges.json": n.ranges(),
	}
	logs := n.logs(transfers)
	for _, f := range formats {
		n.objects(files, f, logs)
	}
	n.transitLogs(files, transfers)
	n.inventory(files)
	n.changes(files)
	n.truth(files, transfers, logs)
	for name, content := range files {
		path := filepath.Join(out, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// logs are the records of each VPC, in the order of its files.
func (n *network) logs(transfers []*transfer) map[string][]record {
	logs := map[string][]record{}
	for _, t := range transfers {
		for _, r := range n.records(t) {
			logs[r.vpc.Name] = append(logs[r.vpc.Name], r)
		}
	}
	for _, e := range n.Nodes {
		if e.Name == "orders-db-standby" {
			for at := n.Begin + 1800; at < n.End; at += 3600 {
				logs[e.VPC] = append(logs[e.VPC], n.idle(e, at))
			}
		}
	}
	for _, records := range logs {
		slices.SortStableFunc(records, func(a, b record) int {
			return cmp.Or(cmp.Compare(a.end, b.end), cmp.Compare(a.at.ENI, b.at.ENI), cmp.Compare(a.start, b.start))
		})
	}
	return logs
}

// objects adds the logs of a format as they lie in a bucket, those of a VPC and a day in one object.
func (n *network) objects(files map[string][]byte, f format, logs map[string][]record) {
	date := time.Unix(n.Begin, 0).UTC()
	for _, v := range n.VPCs {
		text := []byte(strings.Join(f.fields, " ") + "\n")
		for i := range logs[v.Name] {
			text = f.line(text, n, &logs[v.Name][i])
		}
		name := fmt.Sprintf("%s/AWSLogs/%s/vpcflowlogs/%s/%s/%s_vpcflowlogs_%s_%s_%s.log.gz", f.name, v.Account, n.Region,
			date.Format("2006/01/02"), v.Account, n.Region, n.flowLog(v, f), date.Format("20060102"))
		files[name] = gzipped(text)
	}
}

// flowLog is the ID of the flow log of a VPC in a format.
func (n *network) flowLog(v *vpc, f format) string { return n.id("fl", v.Name+" "+f.name) }

// document is a value as indented JSON.
func document(v any) []byte {
	text, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		panic(err)
	}
	return append(text, '\n')
}

func gzipped(text []byte) []byte {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		panic(err)
	}
	w.Write(text) // a bytes.Buffer takes everything
	w.Close()
	return b.Bytes()
}
