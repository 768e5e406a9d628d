package s3test

import (
	"encoding/xml"
	"net/http"
)

// The answers of S3: https://docs.aws.amazon.com/AmazonS3/latest/API/.
type (
	listing struct {
		XMLName               xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListBucketResult"`
		Name                  string
		Prefix                string
		Delimiter             string `xml:",omitempty"`
		StartAfter            string `xml:",omitempty"`
		ContinuationToken     string `xml:",omitempty"`
		NextContinuationToken string `xml:",omitempty"`
		KeyCount              int
		MaxKeys               int
		IsTruncated           bool
		Contents              []content
		CommonPrefixes        []common
	}
	content struct {
		Key          string
		LastModified string
		ETag         string
		Size         int
		StorageClass string
	}
	common struct{ Prefix string }

	uploads struct {
		XMLName     xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListMultipartUploadsResult"`
		Bucket      string
		Prefix      string `xml:",omitempty"`
		MaxUploads  int
		IsTruncated bool
		Upload      []pending
	}
	pending struct {
		Key      string
		UploadID string `xml:"UploadId"`
	}
	initiated struct {
		XMLName  xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ InitiateMultipartUploadResult"`
		Bucket   string
		Key      string
		UploadID string `xml:"UploadId"`
	}
	completed struct {
		XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ CompleteMultipartUploadResult"`
		Bucket  string
		Key     string
		ETag    string
	}
	failure struct {
		XMLName xml.Name `xml:"Error"`
		Code    string
		Message string
	}
)

// answer writes a document. A client that has gone does not read it.
func answer(w http.ResponseWriter, document any) {
	text, err := xml.Marshal(document)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	_, _ = w.Write(append([]byte(xml.Header), text...))
}

func fail(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	answer(w, failure{Code: code, Message: message})
}
