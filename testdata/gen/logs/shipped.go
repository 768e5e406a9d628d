package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	// not the standard library's: its output may change with the Go release, this one's only with go.mod
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// consoleFormat is all of version 5 in the order in which AWS's console puts them, and consoleTasks what the
// console appends to that for ECS.
const (
	consoleFormat = "account-id action az-id bytes dstaddr dstport end flow-direction instance-id interface-id log-status " +
		"packets pkt-dst-aws-service pkt-dstaddr pkt-src-aws-service pkt-srcaddr protocol region srcaddr srcport start " +
		"sublocation-id sublocation-type subnet-id tcp-flags traffic-path type version vpc-id"
	consoleTasks = " ecs-cluster-name ecs-cluster-arn ecs-container-instance-id ecs-container-instance-arn ecs-service-name " +
		"ecs-task-definition-arn ecs-task-id ecs-task-arn ecs-container-id ecs-second-container-id"
)

// singles are the files beside the S3 tree: one VPC each, so that no traffic is in two files. The header is
// a format, or empty for all fields of the version.
var singles = []struct {
	name            string
	version         int
	header          string
	account, region string
	net             int // the VPC is 10.net.0.0/16
	records         int // at least
	pack            func(f format, records []record) []byte
}{
	{"v3.log", 3, "", "123456789012", "us-east-1", 3, 110, format.file},
	{"v4.log", 4, "", "123456789012", "us-west-2", 4, 110, format.file},
	{"v5-console.log", 5, consoleFormat, "098765432109", "eu-west-1", 5, 110, format.file},
	{"v5-console.log.zst", 5, consoleFormat, "098765432109", "eu-west-1", 15, 600, zstdFile},
	{"v6-transit-gateway.log", 6, "", "123456789012", "us-east-1", 100, 80, format.file},
	{"v7-ecs.log", 7, consoleFormat + consoleTasks, "098765432109", "eu-west-1", 7, 60, format.file},
	{"v8-reject-reason.log", 8, "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end " +
		"action log-status reject-reason vpc-id subnet-id instance-id tcp-flags type pkt-srcaddr pkt-dstaddr flow-direction traffic-path",
		"123456789012", "us-east-1", 8, 90, format.file},
	{"v9-regional-nat.log", 9, "resource-id instance-id interface-id subnet-id srcaddr dstaddr pkt-srcaddr pkt-dstaddr srcport dstport " +
		"protocol packets bytes start end action log-status flow-direction traffic-path", "123456789012", "ap-southeast-2", 9, 90, format.file},
	{"v10-encryption.log", 10, "version vpc-id interface-id account-id srcaddr dstaddr srcport dstport protocol packets bytes start end " +
		"action log-status flow-direction encryption-status reject-reason", "123456789012", "us-east-1", 110, 90, format.file},
	{"v11-tags.log", 11, "", "123456789012", "us-east-1", 11, 60, format.file},
	{"headerless.log", 2, "", "123456789012", "us-east-1", 20, 80, format.lines},
	{"firehose.json", 2, "", "123456789012", "us-east-1", 21, 80, firehose("")},
	{"firehose-lines.json", 2, "", "123456789012", "us-east-1", 22, 80, firehose("\n")},
}

// shipped makes testdata/logs, which the README's first command reads: an hour of one VPC as AWS delivers it
// to S3, and a little of every other version and shape.
func shipped(files map[string][]byte) {
	const minutes, begun = 60, 19
	w := newWorld(1, "123456789012", "us-east-1", 0, 1, 120)
	w.bulk = 40e6
	hour := take(w.traffic, begun, minutes, 1<<30)
	v2, err := versionFormat(2)
	if err != nil {
		panic(err)
	}
	// AWS delivers every five minutes, by a record's end, and sometimes in more than one object
	names := newDice(2)
	for slot := begin; slot < begin+minutes*60; slot += 300 {
		var objects [2][]record
		for i, r := range hour {
			if slot <= r.end && r.end < slot+300 {
				n := 0
				if slot == begin+900 {
					n = i % 2
				}
				objects[n] = append(objects[n], r)
			}
		}
		for _, records := range objects {
			if len(records) == 0 {
				continue
			}
			slices.SortStableFunc(records, func(a, b record) int { return cmp.Compare(a.at.id, b.at.id) })
			hash := names.hex(8)
			if slot == begin {
				hash = "1a2b3c4d"
			}
			name := fmt.Sprintf("logs/AWSLogs/123456789012/vpcflowlogs/us-east-1/2026/05/14/"+
				"123456789012_vpcflowlogs_us-east-1_fl-0123456789abcdef0_%s_%s.log.gz", time.Unix(slot, 0).UTC().Format("20060102T1504Z"), hash)
			files[name] = gzipped(v2.file(records))
		}
	}
	for _, s := range singles {
		f, err := versionFormat(s.version)
		if err != nil {
			panic(err)
		}
		if s.header != "" {
			f = newFormat(s.header)
		}
		w := newWorld(uint64(100+s.net), s.account, s.region, s.net, 1, 60)
		switch s.version {
		case 8, 10, 11:
			w.blocked = true
		case 9:
			w.regionalNAT, w.regionalAddr = "nat-"+w.dice.hex(17), w.remotes[len(w.remotes)-1]
		}
		source := w.traffic
		if s.version == 6 {
			source = w.transit
		}
		files["logs/"+s.name] = s.pack(f, take(source, 4, 1<<30, s.records))
	}
}

// take collects a source's records of whole minutes: so many of them, or until there are at least n records.
func take(source func(int64, int, func([]record) bool), begun, minutes, n int) []record {
	var all []record
	source(begin, begun, func(records []record) bool {
		all = append(all, records...)
		minutes--
		return minutes > 0 && len(all) < n
	})
	return all
}

// firehose packs records as a delivery stream writes them: one JSON object each, with sep after it.
func firehose(sep string) func(format, []record) []byte {
	return func(f format, records []record) []byte {
		var b bytes.Buffer
		for i := range records {
			doc, err := json.Marshal(map[string]string{"message": string(bytes.TrimSpace(f.append(nil, &records[i])))})
			if err != nil {
				panic(err)
			}
			b.Write(doc)
			b.WriteString(sep)
		}
		return b.Bytes()
	}
}

func zstdFile(f format, records []record) []byte {
	w, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedBestCompression))
	if err != nil {
		panic(err)
	}
	return w.EncodeAll(f.file(records), nil)
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
