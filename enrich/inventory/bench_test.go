package inventory

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"runtime"
	"testing"
	"time"
)

// writeListing writes a listing of n interfaces, of which each snapshot has some that are new.
func writeListing(w io.Writer, n, snapshot int) error {
	out := bufio.NewWriterSize(w, 1<<20)
	at := time.Unix(worldStart+int64(snapshot)*900, 0).UTC().Format(time.RFC3339)
	fmt.Fprintf(out, `{"flowlog":"inventory","version":1,"account":"123456789012","region":"us-east-1","time":%q,"calls":{"DescribeNetworkInterfaces":{"NetworkInterfaces":[`, at)
	for i := range n {
		if i > 0 {
			fmt.Fprint(out, ",")
		}
		id := i
		if i%1000 == snapshot {
			id += n * (snapshot + 1) // a new owner of an address
		}
		fmt.Fprintf(out, `{"Attachment":{"AttachTime":"2025-11-20T10:05:00+00:00","AttachmentId":"eni-attach-%017[1]x","DeleteOnTermination":true,"DeviceIndex":0,"InstanceId":"i-%017[1]x","InstanceOwnerId":"123456789012","Status":"attached"},"AvailabilityZone":"us-east-1a","AvailabilityZoneId":"use1-az1","Description":"","Groups":[{"GroupId":"sg-0123456789abcdef0","GroupName":"web"}],"InterfaceType":"interface","Ipv6Addresses":[],"MacAddress":"02:00:00:00:00:01","NetworkInterfaceId":"eni-%017[1]x","OwnerId":"123456789012","PrivateIpAddress":"10.%[2]d.%[3]d.%[4]d","PrivateIpAddresses":[{"Primary":true,"PrivateIpAddress":"10.%[2]d.%[3]d.%[4]d"}],"RequesterManaged":false,"SourceDestCheck":true,"Status":"in-use","SubnetId":"subnet-0123456789abcdef0","TagSet":[{"Key":"Name","Value":"web-%[5]d"}],"VpcId":"vpc-0123456789abcdef0"}`,
			id, i>>16, i>>8&255, i&255, i%500)
	}
	fmt.Fprint(out, `]}}}`)
	return out.Flush()
}

// BenchmarkRead reads 96 snapshots of 10,000 interfaces.
func BenchmarkRead(b *testing.B) {
	const interfaces, snapshots = 10_000, 96
	var files []File
	dir := b.TempDir()
	var size int64
	for s := range snapshots {
		path := fmt.Sprintf("%s/%d.json", dir, s)
		f, err := os.Create(path)
		if err != nil {
			b.Fatal(err)
		}
		if err := writeListing(f, interfaces, s); err != nil {
			b.Fatal(err)
		}
		info, _ := f.Stat()
		size += info.Size()
		f.Close()
		files = append(files, File{Name: path, Open: func() (io.ReadCloser, error) { return os.Open(path) }})
	}
	b.SetBytes(size)
	for b.Loop() {
		inv, err := Read(files)
		if err != nil {
			b.Fatal(err)
		}
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		b.ReportMetric(float64(m.Sys)/1e6, "MB")
		runtime.KeepAlive(inv)
	}
}
