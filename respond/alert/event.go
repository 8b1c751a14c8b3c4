package alert

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// rawEvent is what arrived, as it arrived: one request, or one thing of our own.
type rawEvent struct {
	kind        byte
	integration string
	format      string // where the address that it was sent to tells, else empty
	header      http.Header
	body        []byte
}

// The kinds of raw event.
const (
	eventReceived byte = 'r' // the body of a request
	eventCommand  byte = 'c' // what a person wants, a command as JSON
	eventBeat     byte = 'b' // a sign of life, whatever its body
)

// keptHeaders are the headers that tell what a body is or who sent it. No other
// is kept: they hold secrets.
var keptHeaders = []string{"Content-Type", "User-Agent", "X-Amz-Sns-Message-Type", "Sentry-Hook-Resource", "Ce-Type", "Ce-Source", "Ce-Id", "Ce-Subject", "Ce-Time", "Ce-Specversion"}

func kept(h http.Header) http.Header {
	out := http.Header{}
	for _, name := range keptHeaders {
		if v := h.Get(name); v != "" {
			out.Set(name, v)
		}
	}
	return out
}

var (
	packer, _   = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1)) // the options are valid ones
	unpacker, _ = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(1<<30))
)

// packEvents is what a batch holds.
func packEvents(all []rawEvent) []byte {
	var b []byte
	text := func(s string) {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	for i := range all {
		e := &all[i]
		b = append(b, e.kind)
		text(e.integration)
		text(e.format)
		b = binary.AppendUvarint(b, uint64(len(e.header)))
		for name, values := range e.header {
			text(name)
			text(values[0])
		}
		b = binary.AppendUvarint(b, uint64(len(e.body)))
		b = append(b, e.body...)
	}
	return packer.EncodeAll(b, nil)
}

var errPacked = errors.New("a batch of the intake log is damaged")

// unpackEvents is the opposite of packEvents.
func unpackEvents(data []byte) (all []rawEvent, err error) {
	b, err := unpacker.DecodeAll(data, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errPacked, err)
	}
	text := func() []byte {
		n, size := binary.Uvarint(b)
		if size <= 0 || n > uint64(len(b)-size) {
			err, b = errPacked, nil
			return nil
		}
		out := b[size : size+int(n)] //nolint:gosec // at most len(b)
		b = b[size+int(n):]          //nolint:gosec // at most len(b)
		return out
	}
	for len(b) > 0 && err == nil {
		e := rawEvent{kind: b[0]}
		b = b[1:]
		e.integration, e.format = string(text()), string(text())
		n, size := binary.Uvarint(b)
		if size <= 0 || n > uint64(len(keptHeaders)) {
			return nil, errPacked
		}
		b = b[size:]
		e.header = make(http.Header, n)
		for range n {
			name := string(text())
			e.header[name] = []string{string(text())}
		}
		e.body = text()
		all = append(all, e)
	}
	return all, err
}

// eventID names an event by its batch and its number in it.
func eventID(batch string, number int) string { return batch + "." + strconv.Itoa(number) }

// parseEventID is the opposite of eventID.
func parseEventID(id string) (batch string, number int, ok bool) {
	batch, n, found := strings.Cut(id, ".")
	number, err := strconv.Atoi(n)
	return batch, number, found && err == nil && number >= 0
}
