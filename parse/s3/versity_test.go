package s3

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"flowlog/parse"
	"flowlog/parse/aws"
)

// versity is a second opinion on the protocol: a server that others wrote, which checks signatures and knows
// If-Match. It is built once, into the folder where CI keeps its tools.
const (
	versity        = "github.com/versity/versitygw/cmd/versitygw"
	versityVersion = "v1.8.0"
	versityRegion  = "eu-central-1"
)

// startVersity returns the options that reach a new server, or skips the test.
func startVersity(t *testing.T) (opt Options, secret string) {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join("..", "..", ".cache", "versitygw-"+versityVersion))
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "versitygw")
	if _, err := os.Stat(program); err != nil {
		if os.Getenv("CI") == "" {
			t.Skip("versitygw is built from the network, some minutes, only where CI is set")
		}
		ctx, cancel := context.WithTimeout(context.Background(), 8*time.Minute)
		defer cancel()
		build := exec.CommandContext(ctx, "go", "install", versity+"@"+versityVersion)
		build.Env = append(build.Environ(), "GOBIN="+dir, "GOFLAGS=")
		if out, err := build.CombinedOutput(); err != nil {
			t.Skipf("versitygw cannot be built, so its opinion is missing: %v\n%s", err, out)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()

	data := t.TempDir()
	secret = rand.Text()
	var log bytes.Buffer
	server := exec.Command(program, "--port", addr, "--region", versityRegion, "--quiet", "--keep-alive", "posix", "--sidecar", t.TempDir(), data)
	server.Env = []string{"ROOT_ACCESS_KEY=AKIDVERSITY", "ROOT_SECRET_KEY=" + secret, "PATH=" + os.Getenv("PATH")}
	server.Stdout, server.Stderr = &log, &log
	if err := server.Start(); err != nil {
		t.Skip("versitygw does not start, so its opinion is missing:", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Wait() }()
	t.Cleanup(func() {
		if err := server.Process.Kill(); err != nil {
			t.Error(err)
		}
		<-ended
	})
	for range 200 {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			c.Close()
			t.Setenv("AWS_ACCESS_KEY_ID", "AKIDVERSITY")
			t.Setenv("AWS_SECRET_ACCESS_KEY", secret)
			return Options{EndpointURL: "http://" + addr, backoff: atOnce}, secret
		}
		select {
		case err := <-ended:
			ended <- err
			t.Skipf("versitygw ended, so its opinion is missing: %v\n%s", err, log.String())
		case <-time.After(50 * time.Millisecond):
		}
	}
	t.Skip("versitygw does not answer, so its opinion is missing")
	return
}

func TestVersity(t *testing.T) {
	ctx := context.Background()
	opt, secret := startVersity(t)
	right := opt
	right.Region = versityRegion
	c, err := Connect(ctx, right)
	if err != nil {
		t.Fatal(err)
	}
	name := bucket
	if _, err := c.api.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &name}); err != nil {
		t.Fatal(err)
	}
	put := func(key string, data []byte) {
		t.Helper()
		if _, err := c.api.PutObject(ctx, &s3.PutObjectInput{Bucket: &name, Key: &key, Body: bytes.NewReader(data)}); err != nil {
			t.Fatal(err)
		}
	}
	source := func(path string, opt Options) *Source {
		t.Helper()
		src, err := New(ctx, "s3://"+bucket+"/"+path, opt)
		if err != nil {
			t.Fatal(err)
		}
		return src
	}

	t.Run("layouts", func(t *testing.T) {
		var all []string
		for i, l := range layouts {
			for day := 2; day < 5; day++ {
				for hour := range 24 {
					key := "team/" + l.key(account1, "us-east-1", fmt.Sprintf("fl-%017d", i), time.Date(2026, 5, day, hour, 0, 0, 0, time.UTC))
					put(key, []byte("x"))
					if day == 3 && hour == 9 {
						all = append(all, key)
					}
				}
			}
		}
		slices.Sort(all)
		window := opt // without the region, which it must find out
		window.Filter = during("2026-05-03T09:00", "2026-05-03T09:30")
		for _, path := range []string{"", "team", "team/AWSLogs/"} {
			got, errs := names(source(path, window))
			want(t, path+": keys", got, all)
			want(t, path+": errors", errs, []string(nil))
		}
	})

	t.Run("pages", func(t *testing.T) {
		var all []string
		for i := range 1234 {
			all = append(all, fmt.Sprintf("flat/%05d", i))
			put(all[i], nil)
		}
		got, errs := names(source("flat/", opt))
		want(t, "keys", got, all)
		want(t, "errors", errs, []string(nil))
		got, _ = names(source("flat/0123*", opt))
		want(t, "glob", got, all[1230:1234])
	})

	t.Run("ranges", func(t *testing.T) {
		for _, size := range []int{0, 1, 20_000, 2*partSize + 1} {
			data := content(size)
			put("r/x.log.parquet", data)
			r := open(t, source("r/x.log.parquet", opt))
			got, err := io.ReadAll(r)
			if err != nil || !bytes.Equal(got, data) {
				t.Errorf("%d bytes of %d, %v", len(got), size, err)
			}
			p := make([]byte, min(size, 100_000))
			if _, err := r.(io.ReaderAt).ReadAt(p, int64(size-len(p))); err != nil || !bytes.Equal(p, data[size-len(p):]) {
				t.Errorf("the end of %d bytes: %v", size, err)
			}
		}
	})

	t.Run("replaced", func(t *testing.T) {
		data := content(3 * partSize)
		put("r/big", data)
		r := open(t, source("r/big", opt))
		if _, err := io.ReadFull(r, make([]byte, 1000)); err != nil {
			t.Fatal(err)
		}
		put("r/big", bytes.Repeat([]byte("y"), len(data)))
		got, err := io.ReadAll(r)
		if !errors.Is(err, errChanged) || !bytes.HasPrefix(data[1000:], got) {
			t.Errorf("%d bytes, %v", len(got), err)
		}
		key := "r/big"
		o := one(t, source(key, opt))
		if _, err := c.api.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &name, Key: &key}); err != nil {
			t.Fatal(err)
		}
		if _, err := o.Open(ctx); err == nil || !strings.HasPrefix(err.Error(), "the object vanished") {
			t.Errorf("got %v", err)
		}
	})

	t.Run("records", func(t *testing.T) {
		var local parse.Source
		dir := t.TempDir()
		for i := range 20 {
			data := gz(t, 200, uint64(i))
			key := fmt.Sprintf("%02d.log.gz", i)
			put("records/"+key, data)
			if err := os.WriteFile(filepath.Join(dir, key), data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		local = parse.Paths(nil, dir)
		disk, _ := scanned(t, local, 2)
		remote, stats := scanned(t, source("records", opt), 2)
		if len(disk) != 4000 || !slices.Equal(disk, remote) {
			t.Errorf("%d records from disk, %d from S3, or not the same: %v", len(disk), len(remote), stats.Failed)
		}
	})

	t.Run("writes", func(t *testing.T) {
		testFolder(t, opt)
		testUpload(t, opt)
		testAbort(t, opt)
	})

	t.Run("refused", func(t *testing.T) {
		if _, errs := names(source("nothing/", opt)); len(errs) != 1 || !strings.Contains(errs[0], errNothing.Error()) {
			t.Errorf("got %q", errs)
		}
		src, err := New(ctx, "s3://nowhere/", opt)
		if err != nil {
			t.Fatal(err)
		}
		if err := firstError(t, src); err == nil || !strings.HasPrefix(err.Error(), "there is no bucket nowhere") {
			t.Errorf("got %v", err)
		}
		anonymous := opt
		anonymous.NoSignRequest = true
		var denied *aws.AccessError
		if err := firstError(t, source("r/", anonymous)); !errors.As(err, &denied) || denied.Permission != "s3:ListBucket" {
			t.Errorf("anonymous: got %v", err)
		}
		t.Setenv("AWS_SECRET_ACCESS_KEY", secret+"x")
		if err := firstError(t, source("r/", opt)); !errors.As(err, &denied) || !strings.Contains(err.Error(), "check AWS_SECRET_ACCESS_KEY") {
			t.Errorf("wrong secret: got %v", err)
		}
	})
}
