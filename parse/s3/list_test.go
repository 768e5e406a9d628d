package s3

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"flowlog/parse"
)

// layout is one way in which AWS puts a flow log's files into folders.
type layout struct {
	name         string
	hive, hourly bool
}

var layouts = []layout{{"daily", false, false}, {"hourly", false, true}, {"hive", true, false}, {"hive hourly", true, true}}

// key returns the key of a file.
func (l layout) key(account, region, id string, t time.Time) string {
	form := "AWSLogs/%s/vpcflowlogs/%s/%s/"
	date := "2006/01/02"
	hour := "/15"
	if l.hive {
		form = "AWSLogs/aws-account-id=%s/aws-service=vpcflowlogs/aws-region=%s/%s/"
		date = "year=2006/month=01/day=02"
		hour = "/hour=15"
	}
	folder := t.Format(date)
	if l.hourly {
		folder += t.Format(hour)
	}
	return fmt.Sprintf(form, account, region, folder) + fmt.Sprintf("%s_vpcflowlogs_%s_%s_%s_0a1b2c3d.log.gz", account, region, id, t.Format("20060102T1504Z"))
}

// folders rewrites folders of the daily layout as those of l, down to a day.
func (l layout) folders(daily string) string {
	if !l.hive {
		return daily
	}
	labels := []string{"aws-account-id=", "aws-service=", "aws-region=", "year=", "month=", "day=", "hour="}
	before, after, ok := strings.Cut(daily, "AWSLogs/")
	if !ok {
		return daily
	}
	out, i := before+"AWSLogs/", 0
	for name := range strings.SplitSeq(after, "/") {
		if name != "" {
			out += labels[i] + name + "/"
		}
		i++
	}
	return out
}

const (
	account1 = "111122223333"
	account2 = "444455556666"
	fl1      = "fl-0123456789abcdef0"
	fl2      = "fl-0fedcba9876543210"
)

// fill puts a file every three hours of eleven days into two regions of one account, and one of another
// account, and what else is found in such buckets. It returns all keys of flow logs.
func (s *server) fill(l layout, prefix string) []string {
	var keys []string
	for _, flowLog := range []struct{ account, region, id string }{
		{account1, "us-east-1", fl1}, {account1, "us-gov-west-1", fl1}, {account2, "cn-north-1", fl2},
	} {
		for t := time.Date(2026, 4, 28, 0, 0, 0, 0, time.UTC); t.Before(time.Date(2026, 5, 9, 0, 0, 0, 0, time.UTC)); t = t.Add(3 * time.Hour) {
			key := prefix + l.key(flowLog.account, flowLog.region, flowLog.id, t)
			s.put(key, []byte("x"))
			keys = append(keys, key)
		}
	}
	trail := "AWSLogs/" + account1 + "/CloudTrail/us-east-1/2026/05/03/x.json.gz"
	for _, other := range []string{l.folders(trail[:len("AWSLogs/")+13]) + trail[len("AWSLogs/")+13:], "AWSLogs/o-abcdefghij/x", "athena/result.csv", "zzz.txt"} {
		s.put(prefix+other, []byte("x"))
	}
	slices.Sort(keys)
	return keys
}

// TestLayouts lists each layout from each place in it with each filter, and compares both what came and what
// the server was asked for.
func TestLayouts(t *testing.T) {
	const base = "team/logs/"
	day := func(path string) string { return "LIST " + base + path }
	tests := []struct {
		name, path string // below base, in daily layout
		filter     parse.KeyFilter
		keys       func(key string, k parse.Key) bool
		calls      []string // of the daily layout; nil: not looked at
		hours      []string // what the hourly layout asks for beside
	}{
		{"all above AWSLogs", "", parse.KeyFilter{}, nil,
			[]string{day(" /"), day("AWSLogs/ /"), day("AWSLogs/111122223333/vpcflowlogs/"), day("AWSLogs/444455556666/vpcflowlogs/")}, nil},
		{"all at AWSLogs", "AWSLogs/", parse.KeyFilter{}, nil,
			[]string{day("AWSLogs/ /"), day("AWSLogs/111122223333/vpcflowlogs/"), day("AWSLogs/444455556666/vpcflowlogs/")}, nil},
		{"an account", "AWSLogs/", parse.KeyFilter{Accounts: []string{account2}}, func(_ string, k parse.Key) bool { return k.Account == account2 },
			[]string{day("AWSLogs/ /"), day("AWSLogs/444455556666/vpcflowlogs/")}, nil},
		{"a region", "", parse.KeyFilter{Regions: []string{"us-gov-west-1"}}, func(_ string, k parse.Key) bool { return k.Region == "us-gov-west-1" },
			[]string{day(" /"), day("AWSLogs/ /"), day("AWSLogs/111122223333/vpcflowlogs/ /"), day("AWSLogs/111122223333/vpcflowlogs/us-gov-west-1/"), day("AWSLogs/444455556666/vpcflowlogs/ /")}, nil},
		{"a flow log", "AWSLogs/", parse.KeyFilter{FlowLogs: []string{fl2}}, func(_ string, k parse.Key) bool { return k.FlowLogID == fl2 },
			[]string{day("AWSLogs/ /"), day("AWSLogs/111122223333/vpcflowlogs/"), day("AWSLogs/444455556666/vpcflowlogs/")}, nil},
		{"two hours of a day", "AWSLogs/111122223333/vpcflowlogs/us-east-1/", during("2026-05-03T08:00", "2026-05-03T10:00"), at("2026-05-03T09"),
			[]string{day("AWSLogs/111122223333/vpcflowlogs/us-east-1/2026/05/03/ /")},
			[]string{day("AWSLogs/111122223333/vpcflowlogs/us-east-1/2026/05/03/09/")}},
		{"two hours over midnight and the end of a month", "AWSLogs/111122223333/vpcflowlogs/us-east-1/", during("2026-04-30T21:05", "2026-05-01T00:05"), at("2026-04-30T21", "2026-05-01T00"),
			[]string{day("AWSLogs/111122223333/vpcflowlogs/us-east-1/2026/04/30/ /"), day("AWSLogs/111122223333/vpcflowlogs/us-east-1/2026/05/01/ /")},
			[]string{day("AWSLogs/111122223333/vpcflowlogs/us-east-1/2026/04/30/21/"), day("AWSLogs/111122223333/vpcflowlogs/us-east-1/2026/05/01/00/")}},
		{"the delay of delivery", "AWSLogs/111122223333/vpcflowlogs/us-east-1/", during("2026-05-01T23:00", "2026-05-01T23:55"), at("2026-05-02T00"),
			[]string{day("AWSLogs/111122223333/vpcflowlogs/us-east-1/2026/05/01/ /"), day("AWSLogs/111122223333/vpcflowlogs/us-east-1/2026/05/02/ /")},
			[]string{day("AWSLogs/111122223333/vpcflowlogs/us-east-1/2026/05/02/00/")}},
		{"a whole day and some", "AWSLogs/111122223333/vpcflowlogs/us-east-1/", during("2026-05-02T00:00", "2026-05-03T01:00"), at("2026-05-02", "2026-05-03T00"),
			[]string{day("AWSLogs/111122223333/vpcflowlogs/us-east-1/2026/05/01/ /"), day("AWSLogs/111122223333/vpcflowlogs/us-east-1/2026/05/02/"), day("AWSLogs/111122223333/vpcflowlogs/us-east-1/2026/05/03/ /")},
			[]string{day("AWSLogs/111122223333/vpcflowlogs/us-east-1/2026/05/03/00/")}},
		{"everywhere, two hours", "", during("2026-05-03T08:00", "2026-05-03T10:00"), at("2026-05-03T09"),
			[]string{day(" /"), day("AWSLogs/ /"), day("AWSLogs/111122223333/vpcflowlogs/ /"), day("AWSLogs/444455556666/vpcflowlogs/ /"),
				day("AWSLogs/111122223333/vpcflowlogs/us-east-1/2026/05/03/ /"), day("AWSLogs/111122223333/vpcflowlogs/us-gov-west-1/2026/05/03/ /"), day("AWSLogs/444455556666/vpcflowlogs/cn-north-1/2026/05/03/ /")},
			[]string{day("AWSLogs/111122223333/vpcflowlogs/us-east-1/2026/05/03/09/"), day("AWSLogs/111122223333/vpcflowlogs/us-gov-west-1/2026/05/03/09/"), day("AWSLogs/444455556666/vpcflowlogs/cn-north-1/2026/05/03/09/")}},
		{"a window that is not closed", "AWSLogs/111122223333/vpcflowlogs/us-east-1/", during("2026-05-08T12:05", ""), at("2026-05-08T12", "2026-05-08T15", "2026-05-08T18", "2026-05-08T21"),
			[]string{day("AWSLogs/111122223333/vpcflowlogs/us-east-1/ /"), day("AWSLogs/111122223333/vpcflowlogs/us-east-1/2026/ /"), day("AWSLogs/111122223333/vpcflowlogs/us-east-1/2026/05/ /"), day("AWSLogs/111122223333/vpcflowlogs/us-east-1/2026/05/08/ /")},
			[]string{day("AWSLogs/111122223333/vpcflowlogs/us-east-1/2026/05/08/12/"), day("AWSLogs/111122223333/vpcflowlogs/us-east-1/2026/05/08/15/"), day("AWSLogs/111122223333/vpcflowlogs/us-east-1/2026/05/08/18/"), day("AWSLogs/111122223333/vpcflowlogs/us-east-1/2026/05/08/21/")}},
		{"a month of which there is a part", "AWSLogs/111122223333/vpcflowlogs/us-east-1/", during("2026-04-20T00:00", "2026-04-29T00:00"), at("2026-04-28", "2026-04-29T00"),
			[]string{day("AWSLogs/111122223333/vpcflowlogs/us-east-1/ /"), day("AWSLogs/111122223333/vpcflowlogs/us-east-1/2026/ /"), day("AWSLogs/111122223333/vpcflowlogs/us-east-1/2026/04/ /"), day("AWSLogs/111122223333/vpcflowlogs/us-east-1/2026/04/28/"), day("AWSLogs/111122223333/vpcflowlogs/us-east-1/2026/04/29/ /")},
			[]string{day("AWSLogs/111122223333/vpcflowlogs/us-east-1/2026/04/29/00/")}},
		{"a year", "AWSLogs/111122223333/vpcflowlogs/us-east-1/2026/", during("2026-05-03T08:00", "2026-05-03T10:00"), at("2026-05-03T09"),
			[]string{day("AWSLogs/111122223333/vpcflowlogs/us-east-1/2026/05/03/ /")}, []string{day("AWSLogs/111122223333/vpcflowlogs/us-east-1/2026/05/03/09/")}},
		{"a month", "AWSLogs/111122223333/vpcflowlogs/us-east-1/2026/05/", during("2026-04-30T20:00", "2026-05-01T01:00"), at("2026-05-01T00"),
			[]string{day("AWSLogs/111122223333/vpcflowlogs/us-east-1/2026/05/01/ /")}, []string{day("AWSLogs/111122223333/vpcflowlogs/us-east-1/2026/05/01/00/")}},
		{"a day", "AWSLogs/111122223333/vpcflowlogs/us-east-1/2026/05/03/", during("2026-05-03T08:00", "2026-05-03T10:00"), at("2026-05-03T09"),
			[]string{day("AWSLogs/111122223333/vpcflowlogs/us-east-1/2026/05/03/ /")}, []string{day("AWSLogs/111122223333/vpcflowlogs/us-east-1/2026/05/03/09/")}},
		{"a day without a filter", "AWSLogs/111122223333/vpcflowlogs/us-east-1/2026/05/03/", parse.KeyFilter{}, at("2026-05-03"),
			[]string{day("AWSLogs/111122223333/vpcflowlogs/us-east-1/2026/05/03/")}, nil},
		{"a day that is not in the window", "AWSLogs/111122223333/vpcflowlogs/us-east-1/2026/05/03/", during("2026-05-04T08:00", "2026-05-04T10:00"), at(),
			nil, nil},
	}
	for _, l := range layouts {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			all := s.fill(l, base)
			for _, test := range tests {
				path := base + test.path
				if under := strings.TrimPrefix(test.path, "AWSLogs/"); under != test.path && under != "" {
					path = l.folders(path)
				}
				s.forget()
				got, errs := names(s.source(path, Options{Filter: test.filter}))
				var wanted []string
				for _, key := range all {
					k, _ := parse.ParseKey(key)
					if strings.HasPrefix(key, path) && (test.keys == nil || test.keys(key, k)) {
						wanted = append(wanted, key)
					}
				}
				want(t, test.name+": keys", got, wanted)
				want(t, test.name+": errors", errs, []string(nil))
				if test.calls == nil {
					continue
				}
				calls := slices.Clone(test.calls)
				if l.hourly {
					calls = append(calls, test.hours...)
				}
				for i, c := range calls {
					rest, folder := strings.CutSuffix(c, " /")
					c = "LIST " + l.folders(strings.TrimPrefix(rest, "LIST "))
					if folder {
						c += " /"
					}
					calls[i] = c
				}
				asked := s.calls("LIST", "HEAD", "GET")
				slices.Sort(calls)
				slices.Sort(asked)
				want(t, test.name+": requests", asked, calls)
			}
		})
	}
}

// TestSpan finds out what time there is when the time that was asked for has nothing, and asks for little.
func TestSpan(t *testing.T) {
	for _, l := range layouts {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			s.fill(l, "")
			s.put(l.key(account2, "cn-north-1", fl2, time.Date(2025, 12, 31, 23, 0, 0, 0, time.UTC)), []byte("x"))
			for _, test := range []struct {
				path   string
				filter parse.KeyFilter
				want   string
			}{
				{"", parse.KeyFilter{}, "2025-12-31 2026-05-09"},
				{"AWSLogs", parse.KeyFilter{Accounts: []string{account1}}, "2026-04-28 2026-05-09"},
				{l.folders("AWSLogs/" + account1 + "/vpcflowlogs/us-east-1/2026/05/"), parse.KeyFilter{}, "2026-05-01 2026-05-09"},
				{"", parse.KeyFilter{Regions: []string{"eu-west-1"}}, "0001-01-01 0001-01-01"},
				{"nothing/", parse.KeyFilter{}, "0001-01-01 0001-01-01"},
			} {
				test.filter.Since, test.filter.Until = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 6, 2, 0, 0, 0, 0, time.UTC)
				src := s.source(test.path, Options{Filter: test.filter})
				keys, errs := names(src)
				want(t, test.path+": keys", []any{keys, errs}, []any{[]string(nil), []string(nil)})
				left := src.LeftOut()
				s.forget()
				from, to, err := src.Span(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				want(t, test.path+": span", from.Format(time.DateOnly)+" "+to.Format(time.DateOnly), test.want)
				want(t, test.path+": what was left out", src.LeftOut(), left)
				if n := len(s.calls("LIST")); n > 20 {
					t.Errorf("%s: %d requests", test.path, n)
				}
			}
		})
	}
}

// TestLeftOut counts what a filter leaves out where it is listed, and names the folders where it is not.
func TestLeftOut(t *testing.T) {
	s := newServer(t)
	s.fill(layouts[0], "")
	read := func(path string, f parse.KeyFilter) parse.LeftOut {
		t.Helper()
		src := s.source(path, Options{Filter: f})
		for range 2 { // a second listing counts anew
			if _, errs := names(src); errs != nil {
				t.Errorf("%s: %v", path, errs)
			}
		}
		return src.LeftOut()
	}
	want(t, "accounts", read("", parse.KeyFilter{Accounts: []string{"999999999999"}}).Accounts, map[string]int64{account1: 0, account2: 0})
	want(t, "regions", read("", parse.KeyFilter{Regions: []string{"us-east-1"}}).Regions, map[string]int64{"us-gov-west-1": 0, "cn-north-1": 0})
	want(t, "flow logs", read("AWSLogs/", parse.KeyFilter{FlowLogs: []string{fl2}}).FlowLogs, map[string]int64{fl1: 176})
	left := read("AWSLogs/", parse.KeyFilter{Since: time.Date(2026, 5, 8, 12, 5, 0, 0, time.UTC), Regions: []string{"us-east-1"}})
	want(t, "time", []any{left.Timed, left.From.Format(time.DateTime), left.To.Format(time.DateTime)}, []any{int64(4), "2026-04-01 00:00:00", "2026-05-08 09:05:00"})
	want(t, "services", read("AWSLogs/**", parse.KeyFilter{}).Services, map[string]int64{"CloudTrail": 1})
}

// at chooses the keys of us-east-1 and others whose time begins with one of some texts.
func at(times ...string) func(string, parse.Key) bool {
	return func(_ string, k parse.Key) bool {
		return slices.ContainsFunc(times, func(s string) bool { return strings.HasPrefix(k.Time.Format("2006-01-02T15:04"), s) })
	}
}

// TestMixedLayouts has all layouts in one bucket: what one flow log leaves must not hide another's.
func TestMixedLayouts(t *testing.T) {
	s := newServer(t)
	var all []string
	for i, l := range layouts {
		for hour := range 24 {
			key := l.key(account1, "us-east-1", fmt.Sprintf("fl-%017d", i), time.Date(2026, 5, 3, hour, 0, 0, 0, time.UTC))
			s.put(key, []byte("x"))
			if hour == 9 {
				all = append(all, key)
			}
		}
	}
	slices.Sort(all)
	got, errs := names(s.source("", Options{Filter: during("2026-05-03T09:00", "2026-05-03T09:30")}))
	want(t, "keys", got, all)
	want(t, "errors", errs, []string(nil))
}

func TestPages(t *testing.T) {
	s := newServer(t)
	var all []string
	for i := range 2345 {
		key := fmt.Sprintf("flat/%05d", i)
		s.put(key, []byte("x"))
		all = append(all, key)
	}
	s.put("flat/", nil)
	got, errs := names(s.source("flat", Options{}))
	want(t, "keys", got, all)
	want(t, "errors", errs, []string(nil))
	if n := len(s.calls("LIST")); n > 6 {
		t.Errorf("%d requests for three pages", n)
	}

	// so many accounts that the folders come in pages too
	s = newServer(t)
	var keys []string
	for i := range 1100 {
		key := layouts[0].key(fmt.Sprintf("%012d", i), "eu-central-1", fl1, time.Date(2026, 5, 3, 9, 0, 0, 0, time.UTC))
		s.put("many/"+key, []byte("x"))
		keys = append(keys, "many/"+key)
	}
	got, errs = names(s.source("many/", Options{}))
	want(t, "keys of accounts", got, keys)
	want(t, "errors", errs, []string(nil))
}

func TestPaths(t *testing.T) {
	s := newServer(t)
	for _, key := range []string{
		"a/one.log", "a/two.log", "a/b/three.log", "a-b/four.log", "a.log", "ab/AWSLogs/" + account1 + "/vpcflowlogs/us-east-1/x.log", "ab/AWSLogs/" + account1 + "/CloudTrail/x", "ab/before.log", "ab/zafter.log",
		"c/d/2026-05-01/x.log.gz", "c/d/2026-05-02/x.log.gz", "c/e/2026-05-01/x.log.gz", "c/e/2026-05-01/y.log", "c/d/top.log",
		"org/o-1/AWSLogs/" + account2 + "/vpcflowlogs/us-east-1/x.log", "org/a.txt", "org/z.txt",
		"copied/" + account1 + "/vpcflowlogs/us-east-1/2026/05/03/x.log", "copied/other.log",
	} {
		s.put(key, []byte("x"))
	}
	for _, test := range []struct{ path, keys string }{
		{"a", "a/b/three.log a/one.log a/two.log"}, // the folder, not a-b or a.log
		{"a/", "a/b/three.log a/one.log a/two.log"},
		{"a.log", "a.log"},
		{"a/one.log", "a/one.log"},
		{"a/o", "a/one.log"},
		{"a/b", "a/b/three.log"},
		{"ab", "ab/AWSLogs/111122223333/vpcflowlogs/us-east-1/x.log"},
		{"org", "org/a.txt org/o-1/AWSLogs/444455556666/vpcflowlogs/us-east-1/x.log org/z.txt"},
		{"copied", "copied/111122223333/vpcflowlogs/us-east-1/2026/05/03/x.log copied/other.log"},
		{"c/*/2026-05-01/*.gz", "c/d/2026-05-01/x.log.gz c/e/2026-05-01/x.log.gz"},
		{"c/{d,e}/2026-05-0[12]/x*", "c/d/2026-05-01/x.log.gz c/d/2026-05-02/x.log.gz c/e/2026-05-01/x.log.gz"},
		{"c/**/*.log", "c/d/top.log c/e/2026-05-01/y.log"},
		{"c/d*", "c/d/2026-05-01/x.log.gz c/d/2026-05-02/x.log.gz c/d/top.log"},
		{"c/*/top.log", "c/d/top.log"},
		{"c/*/2026-05-02", "c/d/2026-05-02/x.log.gz"},
		{"c/*/2026-05-02/", "c/d/2026-05-02/x.log.gz"},
		{"c/{d/2026-05-01,e}/**", "c/d/2026-05-01/x.log.gz c/e/2026-05-01/x.log.gz c/e/2026-05-01/y.log"},
	} {
		got, errs := names(s.source(test.path, Options{}))
		want(t, test.path, strings.Join(got, " "), test.keys)
		want(t, test.path+": errors", errs, []string(nil))
	}

	s.forget()
	src := s.source("ab/", Options{})
	names(src)
	want(t, "skipped", src.Skipped(), []string{"s3://logs/ab/before.log", "s3://logs/ab/zafter.log"})
	s.forget()
	names(s.source("c/*/2026-05-01/*.gz", Options{}))
	calls := s.calls("LIST")
	slices.Sort(calls)
	want(t, "requests of a glob", calls, []string{"LIST c/ /", "LIST c/d/2026-05-01/ /", "LIST c/e/2026-05-01/ /"})

	for _, test := range []struct{ path, err string }{
		{"nothing", "s3://logs/nothing: there are no objects with this name or prefix"},
		{"nothing/", "s3://logs/nothing/: there are no objects with this name or prefix"},
		{"c/*.gz", "s3://logs/c/*.gz: there are no objects with this name or prefix"},
		{"c/[d/x", "is not a pattern"},
	} {
		got, errs := names(s.source(test.path, Options{}))
		if len(got) > 0 || len(errs) != 1 || !strings.Contains(errs[0], test.err) {
			t.Errorf("%s: got %q and errors %q, want %q", test.path, got, errs, test.err)
		}
	}
	for _, url := range []string{"", "logs/x", "s3://", "s3:///x", "s3://a*/x", "s3://arn:aws:s3:us-east-1:123456789012:accesspoint/x"} {
		if _, err := New(context.Background(), url, s.options()); err == nil {
			t.Errorf("%q is no URL, but there was no error", url)
		}
	}
}

// TestStop ends listings early: no goroutine may hang, which the race detector's deadlock would show, and no
// request may follow.
func TestStop(t *testing.T) {
	s := newServer(t)
	all := s.fill(layouts[1], "")
	for n := range 3 {
		for o, err := range s.source("", Options{}).Objects(context.Background()) {
			if err != nil || o.Name != "s3://logs/"+all[0] {
				t.Fatal(o.Name, err)
			}
			if n == 0 {
				break
			}
			r, err := o.Open(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			r.Close()
			break
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for o, err := range s.source("", Options{}).Objects(ctx) {
		t.Error("listed after the end:", o.Name, err)
	}
}

func TestPlan(t *testing.T) {
	s := newServer(t)
	s.put("p/a.log.gz", make([]byte, 1000))
	s.put("p/b.log", make([]byte, 9<<20))
	s.put("p/c.log.parquet", make([]byte, 300<<10))
	s.put("p/d.log", nil)
	src := s.source("p/", Options{})
	var got []string
	for p, err := range src.Plan(context.Background()) {
		got = append(got, fmt.Sprint(p.Name, " ", p.Size, " ", p.Requests, " ", err))
	}
	want(t, "plan", got, []string{"s3://logs/p/a.log.gz 1000 1 <nil>", "s3://logs/p/b.log 9437184 2 <nil>", "s3://logs/p/c.log.parquet 307200 3 <nil>", "s3://logs/p/d.log 0 0 <nil>"})
	want(t, "requests", s.calls("GET", "HEAD"), []string(nil))
	want(t, "stats", fmt.Sprint(src.Stats()), "{1 0 0 0 0 0 4 0}")
}
