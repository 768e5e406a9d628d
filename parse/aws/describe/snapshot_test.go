package describe

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"flowlog/parse/aws"
	"flowlog/parse/aws/awstest"
)

// TestMain keeps the tests from the configuration of whoever runs them.
func TestMain(m *testing.M) {
	for _, v := range os.Environ() {
		if name, _, _ := strings.Cut(v, "="); strings.HasPrefix(name, "AWS_") {
			if err := os.Unsetenv(name); err != nil {
				panic(err)
			}
		}
	}
	for name, value := range map[string]string{
		"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
		"AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "secret",
	} {
		if err := os.Setenv(name, value); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

var scope = Scope{"123456789012", "us-east-1", time.Date(2026, 11, 28, 17, 0, 0, 0, time.FixedZone("", 3600))}

func start(t *testing.T) *awstest.Server {
	s := awstest.Start()
	t.Cleanup(s.Close)
	s.Pages["DescribeNetworkInterfaces"] = []string{
		`<networkInterfaceSet><item><networkInterfaceId>eni-1</networkInterfaceId></item><item><networkInterfaceId>eni-2</networkInterfaceId></item></networkInterfaceSet>`,
		`<networkInterfaceSet/>`, // which is allowed
		`<networkInterfaceSet><item><networkInterfaceId>eni-3</networkInterfaceId></item></networkInterfaceSet>`,
	}
	s.Pages["DescribeVpcs"] = []string{`<vpcSet><item><vpcId>vpc-1</vpcId></item></vpcSet>`}
	s.Pages["DescribeManagedPrefixLists"] = []string{
		`<prefixListSet><item><prefixListId>pl-1</prefixListId></item></prefixListSet>`, `<prefixListSet><item><prefixListId>pl-2</prefixListId></item></prefixListSet>`,
	}
	s.Pages["GetManagedPrefixListEntries pl-1"] = []string{`<entrySet><item><cidr>10.0.0.0/8</cidr></item></entrySet>`, `<entrySet><item><cidr>192.0.2.0/24</cidr><description>d</description></item></entrySet>`}
	s.Pages["GetManagedPrefixListEntries pl-2"] = []string{`<entrySet><item/></entrySet>`}
	return s
}

func take(t *testing.T, s *awstest.Server, with ...string) (*Snapshot, document) {
	t.Helper()
	conn, err := aws.Connect(t.Context(), aws.Options{EndpointURL: s.URL, Now: func() time.Time { return scope.Time }, Wait: func(int) time.Duration { return time.Millisecond }})
	if err != nil {
		t.Fatal(err)
	}
	shot, err := Take(t.Context(), conn, scope, Calls(with...))
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(shot.Document))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	var d document
	if err == nil {
		err = json.Unmarshal(text, &d)
	}
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return shot, d
}

// document is what is in the file.
type document struct {
	Flowlog, Account, Region, Time string
	Version                        int
	Calls                          map[string]map[string][]map[string]any
}

// Pages, throttling and bodies that break off are not seen in the document.
func TestTake(t *testing.T) {
	s := start(t)
	s.Throttle["DescribeNetworkInterfaces"], s.Throttle["DescribeVpcs"], s.Cut["DescribeSubnets"], s.Cut["GetManagedPrefixListEntries"] = 2, 1, 2, 3
	shot, d := take(t, s)
	if d.Flowlog != "inventory" || d.Version != 1 || d.Account != "123456789012" || d.Region != "us-east-1" || d.Time != "2026-11-28T16:00:00Z" {
		t.Errorf("got %+v", d)
	}
	if len(shot.Failed) > 0 || len(d.Calls) != len(always) || shot.Calls != len(always) || s.Unsigned() {
		t.Errorf("%d calls, failed %v, unsigned %t", len(d.Calls), shot.Failed, s.Unsigned())
	}
	for _, c := range always {
		if d.Calls[c.Action][c.CLI] == nil {
			t.Errorf("%s has no list %s", c.Action, c.CLI)
		}
	}
	for call, want := range map[string]string{
		"DescribeNetworkInterfaces":   `[{"NetworkInterfaceId":"eni-1"},{"NetworkInterfaceId":"eni-2"},{"NetworkInterfaceId":"eni-3"}]`,
		"DescribeVpcs":                `[{"VpcId":"vpc-1"}]`,
		"DescribeSubnets":             `[]`,
		"GetManagedPrefixListEntries": `[{"Cidr":"10.0.0.0/8","PrefixListId":"pl-1"},{"Cidr":"192.0.2.0/24","Description":"d","PrefixListId":"pl-1"},{"PrefixListId":"pl-2"}]`,
	} {
		for _, list := range d.Calls[call] {
			if got := indent(list); got != want {
				t.Errorf("%s: got %s, want %s", call, got, want)
			}
		}
	}
	if want := (map[string]int{"NetworkInterfaces": 3, "Vpcs": 1, "PrefixLists": 2, "Entries": 3}); !maps.Equal(nonzero(shot.Counts), want) {
		t.Errorf("got %v, want %v", shot.Counts, want)
	}
	if want := "2026-11-28T160000Z_123456789012_us-east-1.json.gz"; shot.Name() != want {
		t.Errorf("it is called %s, want %s", shot.Name(), want)
	}
}

func nonzero(counts map[string]int) map[string]int {
	maps.DeleteFunc(counts, func(_ string, n int) bool { return n == 0 })
	return counts
}

// A call that is denied is missing and named, with the calls that are made for it; the others are there.
func TestTakeDenied(t *testing.T) {
	s := start(t)
	s.Deny["DescribeManagedPrefixLists"], s.Deny["DescribeFlowLogs"] = true, true
	shot, d := take(t, s)
	var got []string
	for _, f := range shot.Failed {
		got = append(got, fmt.Sprintf("%s: %v", f.Actions, f.Err))
		var access *aws.AccessError
		if errors.As(f.Err, &access) && access.Permission != "ec2:"+f.Actions[0] {
			t.Errorf("the permission is %s", access.Permission)
		}
	}
	const who = " is missing (User: arn:aws:iam::123456789012:user/auditor): allow it in the identity's policy, or choose another identity with profile"
	want := []string{
		"[DescribeManagedPrefixLists]: access denied: the permission ec2:DescribeManagedPrefixLists" + who,
		"[GetManagedPrefixListEntries]: it is made for what DescribeManagedPrefixLists finds, which failed",
		"[DescribeFlowLogs]: access denied: the permission ec2:DescribeFlowLogs" + who,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if len(d.Calls) != len(always)-3 || d.Calls["DescribeFlowLogs"] != nil || len(d.Calls["DescribeNetworkInterfaces"]["NetworkInterfaces"]) != 3 {
		t.Errorf("got %v", d.Calls)
	}
}

// A call that fails at a later page is missing as a whole.
func TestTakeHalf(t *testing.T) {
	s := start(t)
	s.Pages["DescribeNetworkInterfaces"][2] = `<networkInterfaceSet><item><requesterManaged>x</requesterManaged></item></networkInterfaceSet>`
	shot, d := take(t, s)
	if len(shot.Failed) != 1 || d.Calls["DescribeNetworkInterfaces"] != nil || len(d.Calls["DescribeVpcs"]["Vpcs"]) != 1 {
		t.Errorf("failed %v, got %v", shot.Failed, d.Calls)
	}
	if want := `the answer of EC2 in us-east-1: NetworkInterfaces: RequesterManaged: "x" is neither true nor false`; shot.Failed[0].Err.Error() != want {
		t.Errorf("got %v, want %s", shot.Failed[0].Err, want)
	}
}

// A server that sends the reader in a circle is found out.
func TestTakeCircle(t *testing.T) {
	for _, token := range []string{"page-0", "page-1"} {
		s := start(t)
		s.Pages["DescribeVpcs"] = []string{`<vpcSet/>`, `<vpcSet/><nextToken>` + token + `</nextToken>`}
		shot, d := take(t, s)
		if len(shot.Failed) != 1 || shot.Failed[0].Actions[0] != "DescribeVpcs" || d.Calls["DescribeVpcs"] != nil {
			t.Errorf("to %s: failed %v", token, shot.Failed)
		}
	}
}

// Where credentials are refused or nobody answers, one call is made, and all are missing for that reason.
func TestTakeNothing(t *testing.T) {
	s := start(t)
	s.Close()
	shot, _ := take(t, s)
	if len(shot.Failed) != 1 || len(shot.Failed[0].Actions) != len(always) || shot.Calls != 0 || !strings.HasPrefix(shot.Failed[0].Err.Error(), "cannot reach "+s.URL) {
		t.Errorf("failed %v", shot.Failed)
	}
}

// Calls of --with are made for what others find, in batches.
func TestTakeWith(t *testing.T) {
	s := start(t)
	s.Pages["ListClusters"] = []string{`{"clusterArns":["c1","c2"],"clusters":["k1","k/2"]}`, `{"clusterArns":["c3"],"clusters":[]}`}
	s.Pages["clusters"] = []string{`{"clusters":["k1"]}`, `{"clusters":["k 2"]}`}
	s.Pages["clusters/k1"] = []string{`{"cluster":{"name":"k1","createdAt":1795880130.5}}`}
	s.Pages["clusters/k 2"] = []string{`{"cluster":{"name":"k 2"}}`}
	for _, c := range []string{"c1", "c2", "c3"} {
		var arns []string
		for i := range 60 {
			arns = append(arns, fmt.Sprintf("%q", c+"/"+fmt.Sprint(i)))
		}
		s.Pages["ListTasks "+c] = []string{`{"taskArns":[` + strings.Join(arns, ",") + `]}`, `{"taskArns":[` + strings.Join(arns, ",") + `]}`}
	}
	s.Pages["DescribeTasks"] = []string{`{"tasks":[{"taskArn":"t"}],"failures":[]}`}
	s.Pages["2015-03-31/functions"] = []string{`{"Functions":[{"FunctionName":"f","MemorySize":128}]}`, `{"Functions":[{"FunctionName":"g"}]}`}
	s.Pages["DescribeLoadBalancers"] = []string{`<LoadBalancers><member><LoadBalancerName>a</LoadBalancerName></member></LoadBalancers>`, `<LoadBalancers><member><LoadBalancerName>b</LoadBalancerName></member></LoadBalancers>`}
	s.Pages["DescribeDBInstances"] = []string{`<DBInstances><DBInstance><DBInstanceIdentifier>orders-db</DBInstanceIdentifier></DBInstance></DBInstances>`}
	shot, d := take(t, s, Words()...)
	if len(shot.Failed) > 0 || s.Unsigned() {
		t.Errorf("failed %v", shot.Failed)
	}
	for call, want := range map[string]string{
		"ListFunctions":         `{"Functions":[{"FunctionName":"f","MemorySize":128},{"FunctionName":"g"}]}`,
		"DescribeLoadBalancers": `{"LoadBalancers":[{"LoadBalancerName":"a"},{"LoadBalancerName":"b"}]}`,
		"DescribeDBInstances":   `{"DBInstances":[{"DBInstanceIdentifier":"orders-db"}]}`,
		"DescribeTasks":         `{"tasks":[{"taskArn":"t"},{"taskArn":"t"},{"taskArn":"t"},{"taskArn":"t"},{"taskArn":"t"},{"taskArn":"t"}]}`, // 3 clusters with 100 + 20
		"DescribeCluster":       `{"cluster":[{"createdAt":"2026-11-28T15:35:30.500000+00:00","name":"k1"},{"name":"k 2"}]}`,
	} {
		if got := indent(d.Calls[call]); got != want {
			t.Errorf("%s: got %s, want %s", call, got, want)
		}
	}
	if d.Calls["ListClusters"] != nil || d.Calls["ListTasks"] != nil {
		t.Error("calls that only serve others are in the document")
	}
}

// What a call is made for may be deleted before it is made: the others' answers are there.
func TestTakeGone(t *testing.T) {
	s := start(t)
	s.Gone["GetManagedPrefixListEntries pl-1"] = true
	shot, d := take(t, s)
	if got := indent(d.Calls["GetManagedPrefixListEntries"]); got != `{"Entries":[{"PrefixListId":"pl-2"}]}` || len(shot.Failed) > 0 {
		t.Errorf("got %s, failed %v", got, shot.Failed)
	}
}

// A context that ends, ends everything.
func TestTakeCancelled(t *testing.T) {
	s := start(t)
	conn, err := aws.Connect(t.Context(), aws.Options{EndpointURL: s.URL, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if shot, err := Take(ctx, conn, scope, Calls()); err != context.Canceled || shot != nil {
		t.Errorf("got %v, %v", shot, err)
	}
}
