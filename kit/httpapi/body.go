package httpapi

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

// boundBody bounds the request's body in size and in time, whether or not
// anything reads it: at the end of an answer the server itself reads what is
// left.
func (a *API) boundBody(w http.ResponseWriter, r *http.Request) {
	if r.Body == nil || r.Body == http.NoBody {
		return
	}
	c := http.NewResponseController(w)
	if err := c.SetReadDeadline(time.Now().Add(a.options.BodyTime)); err == nil {
		r.Body = &timedBody{r.Body, c}
	}
	r.Body = http.MaxBytesReader(w, r.Body, largestBody)
}

// timedBody lifts the deadline once the body has been read: while the answer is
// being worked out, the server reads on to learn whether the caller has left, and
// would take a deadline for that.
type timedBody struct {
	io.ReadCloser
	c *http.ResponseController
}

// Read reads on.
func (b *timedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if errors.Is(err, io.EOF) {
		_ = b.c.SetReadDeadline(time.Time{}) // it could be set, so it can be lifted
	}
	return n, err
}

// ReadBody reads the body of a request to a raw handler into buf. What has more
// than most bytes, or is too slow, is a fault that answers it.
func ReadBody(r *http.Request, most int64, buf *bytes.Buffer) error {
	if r.ContentLength > most {
		return TooLarge(most)
	}
	_, err := buf.ReadFrom(io.LimitReader(r.Body, most+1))
	var larger *http.MaxBytesError
	switch {
	case errors.As(err, &larger):
		return TooLarge(larger.Limit)
	case slowBody(err):
		return tooSlow()
	case err != nil:
		return fault.New(fault.Invalid, "http.body_cut",
			text.Say("the request ended before its body did", "リクエストの本文が途中で終わりました")).
			Fix(text.Say("send it again", "もう一度送ってください")).On("body").Wrap(err)
	case int64(buf.Len()) > most:
		return TooLarge(most)
	}
	return nil
}

// slowBody reports an error that comes of a body that was too slow.
func slowBody(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }

func tooSlow() error {
	return Status(http.StatusRequestTimeout, fault.New(fault.Invalid, "http.body_too_slow",
		text.Say("the request did not arrive in time", "リクエストの受信が時間内に終わりませんでした")).
		Fix(text.Say("send it again, in smaller parts if need be", "必要に応じて分割し、もう一度送ってください")).On("body"))
}
