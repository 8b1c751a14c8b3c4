package check

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strconv"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

const (
	healthMethod = "/grpc.health.v1.Health/Check"
	serving      = 1
	mostMessage  = 4 << 10
	grpcPrefix   = 5 // bytes before each message: compressed or not, and its length
)

// servingStatus names the states of grpc.health.v1.HealthCheckResponse.
var servingStatus = map[int]string{0: "UNKNOWN", serving: "SERVING", 2: "NOT_SERVING", 3: "SERVICE_UNKNOWN"}

// grpcCodes names the statuses that a health check usually ends with.
var grpcCodes = map[string]string{
	"1": "CANCELLED", "2": "UNKNOWN", "3": "INVALID_ARGUMENT", "4": "DEADLINE_EXCEEDED", "5": "NOT_FOUND", "7": "PERMISSION_DENIED",
	"8": "RESOURCE_EXHAUSTED", "12": "UNIMPLEMENTED", "13": "INTERNAL", "14": "UNAVAILABLE", "16": "UNAUTHENTICATED",
}

// grpc makes one unary call over HTTP/2. The protocol is small enough to be
// spoken here: a message is five bytes and a protocol buffer of one field, and
// the status travels in the trailers.
func (r *run) grpc(ctx context.Context, c *GRPC) {
	scheme := "http"
	if c.TLS != nil {
		scheme = "https"
	}
	transport, err := r.transport(c.TLS)
	if err != nil {
		r.impossible(err)
		return
	}
	transport.Protocols = &http.Protocols{}
	transport.Protocols.SetHTTP2(scheme == "https")
	transport.Protocols.SetUnencryptedHTTP2(scheme == "http")
	defer transport.CloseIdleConnections()

	s := r.begin("gRPC " + c.Address)
	if _, _, err := net.SplitHostPort(c.Address); err != nil {
		r.impossible(fault.New(fault.Invalid, CodeUnable, text.Say("%q is not host:port", "%q は ホスト:ポート の形ではありません", c.Address)))
		return
	}
	p := &phases{step: s}
	req, err := http.NewRequestWithContext(httptrace.WithClientTrace(ctx, p.trace()), http.MethodPost, scheme+"://"+c.Address+healthMethod, bytes.NewReader(healthRequest(c.Service)))
	if err != nil {
		r.impossible(fault.New(fault.Invalid, CodeUnable, text.Say("%q is not host:port", "%q は ホスト:ポート の形ではありません", c.Address)))
		return
	}
	req.Header.Set("Content-Type", "application/grpc")
	req.Header.Set("TE", "trailers")
	req.Header.Set("User-Agent", userAgent)
	resp, err := transport.RoundTrip(req)
	if err != nil {
		r.end(s, err)
		return
	}
	defer resp.Body.Close()
	s.Protocol = "gRPC"
	if resp.TLS != nil {
		s.CertificateDays = daysLeft(resp.TLS, r.env.Now())
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, mostMessage))
	p.finish()
	if err == nil {
		s.Bytes = int64(len(body))
		err = judgeHealth(s, resp, body)
	}
	r.end(s, err)
}

// healthRequest is HealthCheckRequest{service = 1}, framed.
func healthRequest(service string) []byte {
	var m []byte
	if service != "" {
		m = binary.AppendUvarint([]byte{1<<3 | 2}, uint64(len(service)))
		m = append(m, service...)
	}
	return append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(m))), m...)
}

func judgeHealth(s *Step, resp *http.Response, body []byte) error {
	if resp.StatusCode != http.StatusOK {
		return failed(CodeAnswer, text.Say("HTTP status %d instead of gRPC", "gRPCではなくHTTPステータス %d が返りました", resp.StatusCode))
	}
	code := resp.Trailer.Get("Grpc-Status")
	if code == "" {
		code = resp.Header.Get("Grpc-Status") // an answer of trailers only
	}
	if code != "0" {
		name := grpcCodes[code]
		if name == "" {
			name = strconv.Quote(shown(code))
		}
		return failed(CodeAnswer, text.Say("the call ended with %s", "呼び出しが %s で終わりました", name))
	}
	status, err := healthStatus(body)
	if err != nil {
		return failed(CodeAnswer, text.Say("the answer is not that of a health check", "応答がヘルスチェックのものではありません"))
	}
	s.Status = status
	if status != serving {
		name := servingStatus[status]
		if name == "" {
			name = strconv.Itoa(status)
		}
		return failed(CodeAnswer, text.Say("the service is %s", "サービスの状態は %s です", name))
	}
	return nil
}

var errMessage = errors.New("malformed message")

// healthStatus reads the one field of HealthCheckResponse; others are passed
// over, as protocol buffers want it. The last occurrence counts.
func healthStatus(frame []byte) (int, error) {
	if len(frame) < grpcPrefix || frame[0] != 0 || int(binary.BigEndian.Uint32(frame[1:])) != len(frame)-grpcPrefix {
		return 0, errMessage
	}
	status := uint64(0)
	for m := frame[grpcPrefix:]; len(m) > 0; {
		tag, n := binary.Uvarint(m)
		if n <= 0 {
			return 0, errMessage
		}
		m = m[n:]
		var size int
		switch tag & 7 {
		case 0:
			v, n := binary.Uvarint(m)
			if n <= 0 {
				return 0, errMessage
			}
			if tag>>3 == 1 {
				status = v
			}
			size = n
		case 1:
			size = 8
		case 2:
			v, n := binary.Uvarint(m)
			if n <= 0 || v > uint64(len(m)) {
				return 0, errMessage
			}
			size = n + int(v)
		case 5:
			size = 4
		default:
			return 0, errMessage
		}
		if size > len(m) {
			return 0, errMessage
		}
		m = m[size:]
	}
	if status > 1<<16 {
		return 0, errMessage
	}
	return int(status), nil
}
