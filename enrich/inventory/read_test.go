package inventory

import (
	"io"
	"net/netip"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

// What is wrong with a file is said with its place.
func TestReadErrors(t *testing.T) {
	good := `{"flowlog":"inventory","version":1,"account":"1","region":"us-east-1","time":"2026-11-27T09:00:00Z",` + "\n" +
		`"calls":{"DescribeNetworkInterfaces":{"NetworkInterfaces":[` + eni("A", "10.0.0.1", "") + `]}}}`
	for _, test := range []struct{ name, content, want string }{
		{"cut off", good[:len(good)-40], "the JSON ends too early: the file was cut off"},
		{"cut off in a quote", good[:strings.Index(good, `10.0.0.1`)+3], "the JSON ends too early"},
		{"empty", "  \n", "the file is empty"},
		{"unknown call", "{\n \"Volumes\": []\n}", `x.json:1: column 1: this is an object with "Volumes", and no call that flowlog reads`},
		{"unknown call of a newer version", strings.Replace(good, "DescribeNetworkInterfaces\":{\"NetworkInterfaces", "DescribeMoons\":{\"Moons", 1), "x.json:2: column 26: flowlog knows no call DescribeMoons"},
		{"newer version", strings.Replace(good, `"version":1`, `"version":2`, 1), "x.json:1: column 34: version 2 of an inventory"},
		{"array", "[]", "x.json:1: column 1: the listing is an array: print it without --query"},
		{"no JSON", "hello", `x.json:1: column 1: there is 'h' where JSON has '{'`},
		{"another kind of value", `{"NetworkInterfaces":[{"NetworkInterfaceId":7}]}`, "x.json:1: column 45: there is a number where AWS has something else"},
		{"no address", `{"NetworkInterfaces":[` + eni("A", "10.0.0.300", "") + `]}`, `eni-A: "10.0.0.300" is not an IP address`},
		{"calls before the time", `{"flowlog":"inventory","calls":{}}`, "account, region and time stand in front of calls"},
	} {
		_, err := Read([]File{file("x.json", test.content)})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %s", test.name, err, test.want)
		}
	}
}

// The time of a file is that of the document, of its name or of its modification.
func TestTimes(t *testing.T) {
	listing := `{"NetworkInterfaces":[` + eni("A", "10.0.0.1", "") + `]}`
	modified := file("b.json", listing)
	modified.Modified = time.Unix(clock(t, "11:00"), 0)
	for _, test := range []struct {
		file File
		want string
		from TimeSource
	}{
		{snapshot("09:00", eni("A", "10.0.0.1", "")), "09:00", FromDocument},
		{file("s3://b/2026-11-27T100000Z_123456789012_us-east-1.json", listing), "10:00", FromName},
		{file("eni_20261127T1000Z.json", listing), "10:00", FromName},
		{modified, "11:00", FromModified},
	} {
		inv := read(t, test.file)
		if a := inv.About(); a.First != clock(t, test.want) || a.Sources[test.from] != 1 || a.Snapshots != 1 || a.Accounts != 1 || a.Interfaces != 1 {
			t.Errorf("%s: %+v, want %s from %s", test.file.Name, a, test.want, test.from)
		}
	}
}

// A snapshot is of one account and region at one time: what has neither is part of those of its time.
func TestSnapshots(t *testing.T) {
	of := func(account, region, at string) File {
		return file("x.json", `{"flowlog":"inventory","version":1,"account":"`+account+`","region":"`+region+`","time":"2026-11-27T`+at+`:00Z","calls":{"DescribeNetworkInterfaces":{"NetworkInterfaces":[]},"DescribeInstances":{"Reservations":[]}}}`)
	}
	bare := file("20261127T100000Z_addresses.json", `{"Addresses":[{"PublicIp":"192.0.2.1","AllocationId":"a"}]}`)
	for _, test := range []struct {
		name  string
		files []File
		want  int
	}{
		{"one file", []File{of("1", "us-east-1", "09:00")}, 1},
		{"the same again", []File{of("1", "us-east-1", "09:00"), of("1", "us-east-1", "09:00")}, 1},
		{"two times", []File{of("1", "us-east-1", "09:00"), of("1", "us-east-1", "10:00")}, 2},
		{"two accounts at one time", []File{of("1", "us-east-1", "09:00"), of("2", "us-east-1", "09:00")}, 2},
		{"two regions at one time", []File{of("1", "us-east-1", "09:00"), of("1", "eu-west-1", "09:00")}, 2},
		{"no account, at the time of another", []File{of("1", "us-east-1", "10:00"), bare}, 1},
		{"no account, at a time of its own", []File{of("1", "us-east-1", "09:00"), bare}, 2},
	} {
		if got := read(t, test.files...).About().Snapshots; got != test.want {
			t.Errorf("%s: %d snapshots, want %d", test.name, got, test.want)
		}
	}
}

// Files may come in any order, a snapshot in several files, and a page says nothing of what is on others.
func TestOrder(t *testing.T) {
	a, b := eni("A", "10.0.0.1", ""), eni("B", "10.0.0.1", "")
	page := file("20261127T100000Z.json", `{"NetworkInterfaces":[`+eni("C", "10.0.0.2", "")+`],"NextToken":"more"}`)
	split := read(t, file("20261127T090000Z.json", `{"NetworkInterfaces":[`+a+`]}`), page, file("20261127T110000Z.json", `{"NetworkInterfaces":[`+a+`]}`))
	if got := ask(t, split, "10.0.0.1", "vpc-1", "10:00", "10:00"); got != "certain A" {
		t.Errorf("at a time of which there is a page without it: %s, want certain A", got)
	}
	both := `{"flowlog":"inventory","version":1,"account":"123456789012","region":"us-east-1","time":"2026-11-27T%s:00Z","calls":{"DescribeNetworkInterfaces":{"NetworkInterfaces":[%s]}}}`
	one := func(at, e string) string { return strings.Replace(strings.Replace(both, "%s", at, 1), "%s", e, 1) }
	inv := read(t, file("all.json", one("12:00", b)+one("09:00", a)+one("09:30", a)))
	for at, want := range map[string]string{"09:10": "certain A", "11:00": "several (2)", "12:00": "certain B"} {
		if got := ask(t, inv, "10.0.0.1", "vpc-1", at, at); got != want {
			t.Errorf("documents behind one another, the last first, at %s: %s, want %s", at, got, want)
		}
	}
}

// A stream that comes byte by byte reads alike.
func TestSmallReads(t *testing.T) {
	content := "\xef\xbb\xbf" + `{ "NetworkInterfaces" : [ ` + strings.Replace(eni("A", "10.0.0.1", ""), `"Value":"A"`, `"Value":"A\u00e9\""`, 1) + ` , ` + eni("B", "10.0.0.2", "") + " ] , \"ResponseMetadata\" : {\"a\":[1,\"]\"]} }\n"
	inv := read(t, File{Name: "20261127T090000Z.json", Open: func() (io.ReadCloser, error) {
		return io.NopCloser(iotest.OneByteReader(strings.NewReader(content))), nil
	}})
	if got := ask(t, inv, "10.0.0.1", "vpc-1", "09:00", "09:00"); got != `certain Aé"` {
		t.Errorf("%s, want certain Aé\"", got)
	}
	if got := ask(t, inv, "10.0.0.2", "vpc-1", "09:00", "09:00"); got != "certain B" {
		t.Errorf("%s, want certain B", got)
	}
}

// FuzzRead reads anything: it ends, with an inventory that answers or an error that names the file.
func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"NetworkInterfaces":[` + eni("A", "10.0.0.1", "10:00", `,"Ipv4Prefixes":[{"Ipv4Prefix":"10.1.0.0/28"}]`) + `],"NextToken":"x"}`))
	f.Add([]byte(`{"flowlog":"inventory","version":1,"account":"1","region":"r","time":"2026-11-27T09:00:00Z","calls":{"DescribeSubnets":{"Subnets":[{"SubnetId":"s","CidrBlock":"10.0.0.0/24"}]}}}`))
	f.Add([]byte(`{"apiVersion":"v1","items":[{"kind":"Pod","metadata":{"uid":"u"},"spec":{"nodeName":"n"},"status":{"podIP":"10.0.0.1"}}],"kind":"List"}`))
	f.Add([]byte(`{"configurationItems":[{"resourceType":"AWS::EC2::NetworkInterface","resourceId":"eni-1","configurationItemCaptureTime":"2026-11-27T09:00:00Z","configuration":{"networkInterfaceId":"eni-1","privateIpAddress":"10.0.0.1"}}]}`))
	f.Add([]byte(`{"Reservations":[{"Instances":[{"NetworkInterfaces":[{"NetworkInterfaceId":"eni-1"}]}]}]} {"Vpcs":[{"VpcId":"v","CidrBlock":"10.0.0.0/8"}]}`))
	f.Fuzz(func(t *testing.T, content []byte) {
		inv, err := Read([]File{file("x.json", string(content))})
		if err != nil {
			if !strings.HasPrefix(err.Error(), "x.json:") {
				t.Errorf("%v does not begin with the file", err)
			}
			return
		}
		q := Query{Addr: netip.MustParseAddr("10.0.0.1"), Start: 1, End: 2}
		inv.Find(q)
		inv.Epochs(q)
		inv.Interface("eni-1", 1)
	})
}
