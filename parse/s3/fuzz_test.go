package s3

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// canned answers each request by a function, without a network between.
type canned func(r *http.Request) (status int, body string)

func (c canned) Do(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return nil, err
		}
	}
	status, body := c(r)
	return &http.Response{
		StatusCode: status, Status: fmt.Sprint(status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {"application/xml"}}, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
	}, nil
}

// answered is a connection whose requests are answered so.
func answered(t *testing.T, by canned) *Client {
	t.Helper()
	c, err := Connect(t.Context(), Options{EndpointURL: "http://s3.example", Region: "eu-west-1", backoff: atOnce})
	if err != nil {
		t.Fatal(err)
	}
	c.api.Options().HTTPClient.(*counting).HTTPClient = by
	return c
}

// pageOf is a page of a listing as S3 writes it, with a token if there is another one.
func pageOf(token string, keys ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<?xml version="1.0" encoding="UTF-8"?>`+"\n"+`<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>%s</Name><Prefix>p/</Prefix>`, bucket)
	if token != "" {
		fmt.Fprintf(&b, "<NextContinuationToken>%s</NextContinuationToken>", token)
	}
	fmt.Fprintf(&b, "<KeyCount>%d</KeyCount><MaxKeys>1000</MaxKeys><IsTruncated>%t</IsTruncated>", len(keys), token != "")
	for _, key := range keys {
		fmt.Fprintf(&b, "<Contents><Key>%s</Key><LastModified>2026-05-14T09:05:00.000Z</LastModified><ETag>&quot;1&quot;</ETag><Size>10</Size><StorageClass>STANDARD</StorageClass></Contents>", key)
	}
	b.WriteString("</ListBucketResult>")
	return b.String()
}

// FuzzListing answers with any body for the second page of a listing: either the listing goes on to an end that the
// body says, or there is an error. It never ends there for want of one.
func FuzzListing(f *testing.F) {
	f.Add(pageOf("", "p/c.log"))
	f.Add(pageOf("t2", "p/c.log", "p/d.log"))
	f.Add(pageOf(""))
	f.Add("<html><body>sign in</body></html>")
	f.Add("<ListBucketResult/>")
	f.Add("")
	f.Add(pageOf("", "p/c.log")[:300])
	f.Add(`<ListBucketResult><IsTruncated>true</IsTruncated><KeyCount>-1</KeyCount></ListBucketResult>`)
	f.Add(`<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Size>-9</Size></Contents><Contents><Key>` + "\u202e" + `</Key></Contents></ListBucketResult>`)
	f.Add(`<Error><Code>SlowDown</Code></Error>`)
	f.Fuzz(func(t *testing.T, body string) {
		c := answered(t, func(r *http.Request) (int, string) {
			switch r.URL.Query().Get("continuation-token") {
			case "":
				return http.StatusOK, pageOf("t1", "p/a.log", "p/b.log")
			case "t1":
				return http.StatusOK, body
			}
			return http.StatusOK, pageOf("", "p/z.log")
		})
		src, err := c.Source("s3://" + bucket + "/p/")
		if err != nil {
			t.Fatal(err)
		}
		keys, errs := names(src)
		if len(errs) > 0 {
			return
		}
		if !slices.Contains(keys, "p/a.log") || !slices.Contains(keys, "p/b.log") {
			t.Errorf("without an error the first page is lost: %q", keys)
		}
		if said := strings.Contains(body, "ListBucketResult") && strings.Contains(body, "IsTruncated"); !said {
			t.Errorf("the listing ends with %q", body)
		}
	})
}

// FuzzSeal takes any text for the state of an upload that another run has sealed. Nothing is asked of S3 but what
// becomes of that upload, at its own name, and of a text that is none nothing at all.
func FuzzSeal(f *testing.F) {
	f.Add(`{"id":"VXBsb2FkIElE","etags":["\"9b2cf535f27731c974343645a3985328\"","\"b1\""]}`, false)
	f.Add(`{"ID":"a/../b?x=y&uploads","ETags":["<Part/>","\u0000"]}`, true)
	f.Add(`{"ID":""}`, false)
	f.Add(`null`, true)
	f.Add(`[1]`, false)
	f.Add(`1234.tmp`, false)
	f.Fuzz(func(t *testing.T, seal string, gone bool) {
		const name = "date=2026-05-14/part-000001-0001.parquet"
		c := answered(t, func(r *http.Request) (int, string) {
			q := r.URL.Query()
			switch {
			case r.URL.Path != "/"+bucket+"/d/"+name && !q.Has("uploads"):
				t.Errorf("%q: %s %s is asked for", seal, r.Method, r.URL)
			case q.Has("uploads"):
				return http.StatusOK, "<ListMultipartUploadsResult><IsTruncated>false</IsTruncated><Upload><Key>d/" + name + "</Key><UploadId>other</UploadId></Upload></ListMultipartUploadsResult>"
			case r.Method == http.MethodDelete && q.Get("uploadId") == "":
				t.Errorf("%q: an object is deleted", seal)
			case gone:
				return http.StatusNotFound, "<Error><Code>NoSuchUpload</Code></Error>"
			case r.Method == http.MethodPost:
				return http.StatusOK, "<CompleteMultipartUploadResult><ETag>x</ETag></CompleteMultipartUploadResult>"
			}
			return http.StatusNoContent, ""
		})
		folder, err := c.Folder("s3://" + bucket + "/d")
		if err != nil {
			t.Fatal(err)
		}
		before := c.Stats()
		published := folder.Publish(t.Context(), name, seal)
		_ = folder.Discard(t.Context(), name, seal) // the errors are those of the text
		if _, err := sealOf(seal); err != nil && (published == nil || c.Stats() != before) {
			t.Errorf("%q was published: %v, %+v", seal, published, c.Stats())
		}
		if err := folder.Sweep(t.Context(), []string{seal}); err != nil {
			t.Errorf("%q: %v", seal, err)
		}
	})
}
