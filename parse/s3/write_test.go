package s3

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// folder connects anew.
func folder(t *testing.T, opt Options, path string) *Folder {
	t.Helper()
	c, err := Connect(context.Background(), opt)
	if err != nil {
		t.Fatal(err)
	}
	f, err := c.Folder("s3://" + bucket + "/" + path)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestFolder(t *testing.T) { testFolder(t, newServer(t).options()) }
func TestUpload(t *testing.T) { testUpload(t, newServer(t).options()) }
func TestAbort(t *testing.T)  { testAbort(t, newServer(t).options()) }

// uploads lists the keys of uploads that are neither completed nor aborted.
func uploads(t *testing.T, f *Folder) (keys []string) {
	t.Helper()
	ctx := context.Background()
	out, err := do(ctx, f.Client, bucket, func(o func(*s3.Options)) (*s3.ListMultipartUploadsOutput, error) {
		return f.api.ListMultipartUploads(ctx, &s3.ListMultipartUploadsInput{Bucket: sdk.String(bucket)}, o)
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range out.Uploads {
		keys = append(keys, *u.Key)
	}
	return keys
}

func testFolder(t *testing.T, opt Options) {
	ctx := context.Background()
	f := folder(t, opt, "a//")
	if empty, err := f.Empty(ctx); !empty || err != nil {
		t.Error(empty, err)
	}
	if _, err := f.Read(ctx, "x/1"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	for i, mustBeNew := range []bool{true, false, true} {
		err := f.Write(ctx, "x/1", []byte{byte('0' + i)}, mustBeNew)
		if want := i == 2; errors.Is(err, fs.ErrExist) != want || !want && err != nil {
			t.Error(i, err)
		}
	}
	if got, err := f.Read(ctx, "x/1"); string(got) != "1" || err != nil {
		t.Errorf("%q %v", got, err)
	}
	if empty, err := f.Empty(ctx); empty || err != nil {
		t.Error(empty, err)
	}
	if err := f.Write(ctx, "x/y/2", nil, false); err != nil {
		t.Fatal(err)
	}
	names, err := f.List(ctx, "x")
	want(t, "names", names, []string{"1", "y/2"})
	if err != nil {
		t.Error(err)
	}
	for range 2 {
		if err := f.Remove(ctx, "x/1"); err != nil {
			t.Error(err)
		}
	}
	for _, url := range []string{"s3://", "s3:/b", "s3://b/*", "b"} {
		if _, err := f.Folder(url); err == nil {
			t.Errorf("%s is a folder", url)
		}
	}
}

// An upload of several parts appears when it is published, by another client too, and any number of times.
func testUpload(t *testing.T, opt Options) {
	ctx := context.Background()
	f := folder(t, opt, "b")
	content := make([]byte, 2*uploadPart+12345)
	if _, err := rand.NewChaCha8([32]byte{}).Read(content); err != nil {
		t.Fatal(err)
	}
	const name = "date=2026-05-14/part-000001-0001.parquet"
	u, err := f.Create(ctx, name)
	if err != nil {
		t.Fatal(err)
	}
	for rest := content; len(rest) > 0; {
		n := min(len(rest), 3<<20)
		if _, err := u.Write(rest[:n]); err != nil {
			t.Fatal(err)
		}
		rest = rest[n:]
	}
	seal, err := u.Seal()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Read(ctx, name); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it is there before it is published: %v", err)
	}
	f = folder(t, opt, "b")
	if err := f.Sweep(ctx, []string{seal}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := f.Publish(ctx, name, seal); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := f.Read(ctx, name); !bytes.Equal(got, content) || err != nil {
		t.Errorf("%d bytes, want %d: %v", len(got), len(content), err)
	}
	if err := f.Publish(ctx, "other", seal); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an upload that is not there: %v", err)
	}
}

// What is not published is aborted: by Discard, after an interruption too, or by the next run, which leaves alone what
// others upload.
func testAbort(t *testing.T, opt Options) {
	f := folder(t, opt, "c")
	ctx, interrupt := context.WithCancel(context.Background())
	u, err := f.Create(ctx, "part-000001-0001.parquet")
	if err != nil {
		t.Fatal(err)
	}
	interrupt()
	if _, err := io.Copy(u, bytes.NewReader(make([]byte, uploadPart))); !errors.Is(err, context.Canceled) {
		t.Errorf("writing goes on: %v", err)
	}
	want(t, "uploads", uploads(t, f), []string{"c/part-000001-0001.parquet"})
	for range 2 {
		if err := u.Discard(); err != nil {
			t.Error(err)
		}
	}
	want(t, "uploads", uploads(t, f), []string{})

	ctx = context.Background()
	for _, name := range []string{"date=2026-05-14/part-000001-0001.parquet", "part-000001-0002.parquet", "somebody's.mp4"} {
		if _, err := f.Create(ctx, name); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Sweep(ctx, nil); err != nil {
		t.Fatal(err)
	}
	want(t, "uploads", uploads(t, f), []string{"c/somebody's.mp4"})
}
