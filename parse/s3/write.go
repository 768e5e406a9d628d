package s3

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"flowlog/parse/schema"
)

// A Folder is a prefix of a bucket to which files are written: a store for datasets. Large files are multipart uploads,
// which become visible when they are completed, as files in a directory do by a rename.
type Folder struct {
	*Client
	bucket, prefix string // "" or with a slash at its end
}

// Folder returns the prefix that a URL names: s3://bucket/prefix.
func (c *Client) Folder(url string) (*Folder, error) {
	src, err := c.Source(url)
	if err != nil {
		return nil, err
	}
	if strings.ContainsAny(src.path, `*?[{`) {
		return nil, fmt.Errorf("%q is a glob: name the one place to write to", url)
	}
	prefix := strings.TrimRight(src.path, "/")
	if prefix != "" {
		prefix += "/"
	}
	return &Folder{c, src.bucket, prefix}, nil
}

const (
	// uploadPart is the size of the parts of an upload, but for the last: S3 takes 5 MiB to 5 GiB, and 10,000 of
	// them, which is 156 GiB.
	uploadPart = 16 << 20
	// cleaning bounds the time to abort an upload after an interruption: it is less than the command line waits before it
	// exits.
	cleaning = 2500 * time.Millisecond
)

// put sends a request that writes.
func put[T any](ctx context.Context, f *Folder, permission, name string, send func(key *string, o func(*s3.Options)) (T, error)) (T, error) {
	key := f.prefix + name
	out, err := do(ctx, f.Client, f.bucket, func(o func(*s3.Options)) (T, error) { return send(&key, o) })
	if err != nil {
		err = fmt.Errorf("s3://%s/%s: %w", f.bucket, key, f.explain(request{permission: permission, bucket: f.bucket, key: key}, err))
	}
	return out, err
}

// is reports whether S3 answered with one of the codes or the status.
func is(err error, status int, codes ...string) bool {
	var api smithy.APIError
	if errors.As(err, &api) && slices.Contains(codes, api.ErrorCode()) {
		return true
	}
	var resp *smithyhttp.ResponseError
	return errors.As(err, &resp) && resp.Response != nil && resp.HTTPStatusCode() == status
}

// Lock does nothing, since a bucket has no locks. Two runs cannot harm each other because commits must be new.
func (f *Folder) Lock(context.Context) error { return nil }
func (f *Folder) Unlock() error              { return nil }

// list returns the objects below a prefix of the folder.
func (f *Folder) list(ctx context.Context, prefix string, most int32) (names []string, err error) {
	src := &Source{Client: f.Client, bucket: f.bucket}
	err = src.pages(ctx, listing{prefix: f.prefix + prefix, most: most}, func(p page) bool {
		for _, k := range p.keys {
			if k.Key != nil {
				names = append(names, strings.TrimPrefix(*k.Key, f.prefix+prefix))
			}
		}
		return most == 0 && ctx.Err() == nil
	})
	if err != nil {
		err = fmt.Errorf("s3://%s/%s: %w", f.bucket, f.prefix+prefix, err)
	}
	return names, err
}

// Empty reports whether the folder has no objects, except the one by which the S3 console marks it.
func (f *Folder) Empty(ctx context.Context) (bool, error) {
	names, err := f.list(ctx, "", 2)
	return !slices.ContainsFunc(names, func(name string) bool { return name != "" }), err
}

// List returns the names of the objects in a subfolder, except those by which the S3 console marks folders.
func (f *Folder) List(ctx context.Context, folder string) ([]string, error) {
	names, err := f.list(ctx, folder+"/", 0)
	return slices.DeleteFunc(names, func(name string) bool { return name == "" || strings.HasSuffix(name, "/") }), err
}

func (f *Folder) Read(ctx context.Context, name string) ([]byte, error) {
	out, err := put(ctx, f, "s3:GetObject", name, func(key *string, o func(*s3.Options)) (*s3.GetObjectOutput, error) {
		return f.api.GetObject(ctx, &s3.GetObjectInput{Bucket: &f.bucket, Key: key, RequestPayer: f.payer}, o)
	})
	if is(err, http.StatusNotFound, "NoSuchKey") && !is(err, 0, "NoSuchBucket") {
		return nil, fs.ErrNotExist
	}
	if err != nil {
		return nil, err
	}
	defer out.Body.Close()
	return io.ReadAll(out.Body)
}

// Write writes a small object. If it must be new, the server checks that, as most S3-compatible servers do.
func (f *Folder) Write(ctx context.Context, name string, content []byte, mustBeNew bool) error {
	_, err := put(ctx, f, "s3:PutObject", name, func(key *string, o func(*s3.Options)) (*s3.PutObjectOutput, error) {
		in := &s3.PutObjectInput{Bucket: &f.bucket, Key: key, Body: bytes.NewReader(content), RequestPayer: f.payer}
		if mustBeNew {
			in.IfNoneMatch = sdk.String("*")
		}
		return f.api.PutObject(ctx, in, o)
	})
	if mustBeNew && is(err, http.StatusPreconditionFailed, "PreconditionFailed", "ConditionalRequestConflict") {
		return fs.ErrExist
	}
	return err
}

func (f *Folder) Remove(ctx context.Context, name string) error {
	_, err := put(ctx, f, "s3:DeleteObject", name, func(key *string, o func(*s3.Options)) (*s3.DeleteObjectOutput, error) {
		return f.api.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &f.bucket, Key: key, RequestPayer: f.payer}, o)
	})
	return err
}

// contentType is the media type of a file for browsers and the S3 console; nil if it is unknown.
func contentType(name string) *string {
	if t, ok := map[string]string{
		".parquet": "application/vnd.apache.parquet", ".arrow": "application/vnd.apache.arrow.stream", ".json": "application/json",
		".ndjson": "application/x-ndjson", ".csv": "text/csv", ".tsv": "text/tab-separated-values", ".html": "text/html; charset=utf-8",
		".md": "text/markdown; charset=utf-8", ".txt": "text/plain; charset=utf-8",
	}[path.Ext(name)]; ok {
		return &t
	}
	return nil
}

// A seal has what completes an upload.
type seal struct {
	ID    string   `json:"id"`
	ETags []string `json:"etags"`
}

// sealOf parses a seal. It refuses one without the ID of an upload: the request that aborts it would delete the object.
func sealOf(text string) (seal, error) {
	var s seal
	if err := json.Unmarshal([]byte(text), &s); err != nil || s.ID == "" {
		return seal{}, fmt.Errorf("%q is not the seal of an upload", text)
	}
	return s, nil
}

// An Upload is an object that is being written. It is for one goroutine.
type Upload struct {
	*Folder
	ctx  context.Context // of Create: Write is not given one
	name string
	buf  []byte
	seal
}

// Create begins an upload, which lasts until it is completed or aborted, even if the program ends. A request that is
// under way when ctx ends is waited for a while: nobody could abort an upload whose ID is not known.
func (f *Folder) Create(ctx context.Context, name string) (*Upload, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	uploading := ctx
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(uploading, func() { time.AfterFunc(cleaning/2, cancel) })()
	out, err := put(ctx, f, "s3:PutObject", name, func(key *string, o func(*s3.Options)) (*s3.CreateMultipartUploadOutput, error) {
		return f.api.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{
			Bucket: &f.bucket, Key: key, ContentType: contentType(name), RequestPayer: f.payer,
		}, o)
	})
	if err != nil {
		return nil, err
	}
	return &Upload{Folder: f, ctx: uploading, name: name, seal: seal{ID: sdk.ToString(out.UploadId)}}, nil
}

func (u *Upload) Write(p []byte) (int, error) {
	written := 0
	for len(p) > 0 {
		if u.buf == nil {
			u.buf = make([]byte, 0, uploadPart)
		}
		n := min(len(p), uploadPart-len(u.buf))
		u.buf = append(u.buf, p[:n]...)
		p, written = p[n:], written+n
		if len(u.buf) == uploadPart {
			if err := u.send(); err != nil {
				return written, err
			}
		}
	}
	return written, nil
}

// send uploads a part.
func (u *Upload) send() error {
	number := int32(len(u.ETags) + 1)
	out, err := put(u.ctx, u.Folder, "s3:PutObject", u.name, func(key *string, o func(*s3.Options)) (*s3.UploadPartOutput, error) {
		return u.api.UploadPart(u.ctx, &s3.UploadPartInput{
			Bucket: &u.bucket, Key: key, UploadId: &u.ID, PartNumber: &number, Body: bytes.NewReader(u.buf), RequestPayer: u.payer,
		}, o)
	})
	if err != nil {
		return err
	}
	u.ETags = append(u.ETags, sdk.ToString(out.ETag))
	u.buf = u.buf[:0]
	return nil
}

// Seal uploads the remaining bytes. An upload that cannot be sealed is aborted.
func (u *Upload) Seal() (string, error) {
	if len(u.buf) > 0 || len(u.ETags) == 0 {
		if err := u.send(); err != nil {
			return "", errors.Join(err, u.Discard())
		}
	}
	u.buf = nil
	text, err := json.Marshal(u.seal)
	return string(text), err
}

// Discard aborts the upload, also after ctx has ended.
func (u *Upload) Discard() error { return u.abort(u.ctx, u.name, u.ID) }

func (f *Folder) abort(ctx context.Context, name, id string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleaning)
	defer cancel()
	_, err := put(ctx, f, "s3:AbortMultipartUpload", name, func(key *string, o func(*s3.Options)) (*s3.AbortMultipartUploadOutput, error) {
		return f.api.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &f.bucket, Key: key, UploadId: &id, RequestPayer: f.payer}, o)
	})
	if is(err, http.StatusNotFound, "NoSuchUpload") {
		return nil
	}
	return err
}

// Discard aborts a sealed upload.
func (f *Folder) Discard(ctx context.Context, name, sealed string) error {
	s, err := sealOf(sealed)
	if err != nil {
		return fmt.Errorf("s3://%s/%s: %w", f.bucket, f.prefix+name, err)
	}
	return f.abort(ctx, name, s.ID)
}

// Publish completes an upload.
func (f *Folder) Publish(ctx context.Context, name, sealed string) error {
	s, err := sealOf(sealed)
	if err != nil {
		return fmt.Errorf("s3://%s/%s: %w", f.bucket, f.prefix+name, err)
	}
	var parts []types.CompletedPart
	for i, etag := range s.ETags {
		parts = append(parts, types.CompletedPart{ETag: &etag, PartNumber: sdk.Int32(int32(i + 1))})
	}
	_, err = put(ctx, f, "s3:PutObject", name, func(key *string, o func(*s3.Options)) (*s3.CompleteMultipartUploadOutput, error) {
		return f.api.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
			Bucket: &f.bucket, Key: key, UploadId: &s.ID, MultipartUpload: &types.CompletedMultipartUpload{Parts: parts}, RequestPayer: f.payer,
		}, o)
	})
	if !is(err, http.StatusNotFound, "NoSuchUpload") {
		return err
	}
	// the upload is gone: it was completed or aborted before
	_, err = put(ctx, f, "s3:GetObject", name, func(key *string, o func(*s3.Options)) (*s3.HeadObjectOutput, error) {
		return f.api.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &f.bucket, Key: key, RequestPayer: f.payer}, o)
	})
	if is(err, http.StatusNotFound, "NotFound", "NoSuchKey") {
		return fs.ErrNotExist
	}
	return err
}

// Sweep aborts the uploads to this folder that are not among the sealed ones.
func (f *Folder) Sweep(ctx context.Context, sealed []string) error {
	keep := make(map[string]bool)
	for _, text := range sealed {
		if s, err := sealOf(text); err == nil {
			keep[s.ID] = true
		}
	}
	in := &s3.ListMultipartUploadsInput{Bucket: &f.bucket, Prefix: &f.prefix, RequestPayer: f.payer}
	for {
		out, err := do(ctx, f.Client, f.bucket, func(o func(*s3.Options)) (*s3.ListMultipartUploadsOutput, error) {
			return f.api.ListMultipartUploads(ctx, in, o)
		})
		if err != nil {
			return f.explain(request{permission: "s3:ListBucketMultipartUploads", bucket: f.bucket}, err)
		}
		for _, u := range out.Uploads {
			name, ours := strings.CutPrefix(sdk.ToString(u.Key), f.prefix)
			if part, _ := path.Match(schema.PartGlob, path.Base(name)); !part || !ours || keep[sdk.ToString(u.UploadId)] {
				continue // somebody else's
			}
			if err := f.abort(ctx, name, sdk.ToString(u.UploadId)); err != nil {
				return err
			}
		}
		if !sdk.ToBool(out.IsTruncated) {
			return nil
		}
		in.KeyMarker, in.UploadIdMarker = out.NextKeyMarker, out.NextUploadIdMarker
	}
}
