package remote

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/metrics"
)

var when = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// server is a server that behaves as the test wants, and a client for it.
func server(t *testing.T, c metrics.Connection, h http.HandlerFunc) *Client {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	c.URL = srv.URL
	return client(t, c)
}

func client(t *testing.T, c metrics.Connection) *Client {
	t.Helper()
	cl, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cl.Close() })
	return cl
}

func vector(v string) string {
	return fmt.Sprintf(`{"status":"success","data":{"resultType":"vector","result":[{"metric":{"a":"b"},"value":[%d,%q]}]}}`, when.Unix(), v)
}

// wantFault checks kind and code and that both languages say something.
func wantFault(t *testing.T, err error, kind fault.Kind, code string) *fault.Error {
	t.Helper()
	f, ok := fault.As(err)
	if !ok || f.Kind != kind || f.Code != code {
		t.Fatalf("got %v, want a fault %s %s", err, kind, code)
	}
	if f.In(text.EN) == "" || f.In(text.JA) == f.In(text.EN) {
		t.Errorf("not in both languages: %q, %q", f.In(text.EN), f.In(text.JA))
	}
	return f
}

func TestAQuestionCarriesWhatTheConnectionSays(t *testing.T) {
	var got *http.Request
	var form url.Values
	answer := func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		got, form = r, r.PostForm
		fmt.Fprint(w, vector("2.5"))
	}
	c := server(t, metrics.Connection{Username: "u", Password: "p", Headers: map[string]string{"X-Scope-OrgID": "tenant"}}, answer)
	series, err := c.Instant(t.Context(), `up{job="a"}`, when)
	if err != nil {
		t.Fatal(err)
	}
	want := []metrics.Series{{Labels: map[string]string{"a": "b"}, Points: []metrics.Point{{T: when.UnixMilli(), V: 2.5}}}}
	if d := cmp.Diff(want, series); d != "" {
		t.Error(d)
	}
	user, pass, _ := got.BasicAuth()
	if got.Method != http.MethodPost || got.URL.Path != "/api/v1/query" || user != "u" || pass != "p" || got.Header.Get("X-Scope-OrgID") != "tenant" {
		t.Errorf("%s %s %v", got.Method, got.URL, got.Header)
	}
	if form.Get("query") != `up{job="a"}` || form.Get("time") != "1772366400.000" {
		t.Errorf("form %v", form)
	}

	c = server(t, metrics.Connection{BearerToken: "token"}, answer)
	if _, err := c.Instant(t.Context(), "up", when); err != nil || got.Header.Get("Authorization") != "Bearer token" {
		t.Errorf("%v, %v", got.Header, err)
	}
}

func TestALongRangeIsAskedForInParts(t *testing.T) {
	var mu sync.Mutex
	asked := 0
	c := server(t, metrics.Connection{}, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		asked++
		sec := func(name string) int64 {
			f, err := strconv.ParseFloat(r.FormValue(name), 64)
			if err != nil {
				t.Error(err)
			}
			return int64(f)
		}
		start, end, step := sec("start"), sec("end"), sec("step")
		if (end-start)/step+1 > 11_000 {
			t.Errorf("%d points in one question", (end-start)/step+1)
		}
		var b strings.Builder
		for at := start; at <= end; at += step {
			if b.Len() > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, `[%d,"%d"]`, at, at)
		}
		fmt.Fprintf(w, `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[%s]}]}}`, b.String())
	})
	const minutes = 30 * 24 * 60
	got, err := c.Range(t.Context(), "x", when, when.Add((minutes-1)*time.Minute), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if asked != 5 || len(got) != 1 || len(got[0].Points) != minutes {
		t.Fatalf("%d questions, %d series", asked, len(got))
	}
	for i, p := range got[0].Points {
		if want := when.Add(time.Duration(i) * time.Minute); p.T != want.UnixMilli() || p.V != float64(want.Unix()) {
			t.Fatalf("point %d is %v", i, p)
		}
	}
}

func TestSeriesThatComeAndGoAreJoined(t *testing.T) {
	var m merger
	a, b := map[string]string{"x": "a"}, map[string]string{"x": "b"}
	m.add([]metrics.Series{{Labels: a, Points: []metrics.Point{{T: 1}}}})
	m.add([]metrics.Series{{Labels: b, Points: []metrics.Point{{T: 2}}}})
	m.add([]metrics.Series{{Labels: a, Points: []metrics.Point{{T: 3}}}, {Labels: b, Points: []metrics.Point{{T: 3}}}})
	want := []metrics.Series{
		{Labels: a, Points: []metrics.Point{{T: 1}, {T: 3}}},
		{Labels: b, Points: []metrics.Point{{T: 2}, {T: 3}}},
	}
	if d := cmp.Diff(want, m.series); d != "" {
		t.Error(d)
	}
}

func TestNumbersThatAreNoNumbers(t *testing.T) {
	for said, want := range map[string]float64{"NaN": math.NaN(), "+Inf": math.Inf(1), "-Inf": math.Inf(-1), "1e400": math.Inf(1), "-0": 0} {
		c := server(t, metrics.Connection{}, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, vector(said)) })
		got, err := c.Instant(t.Context(), "x", when)
		if err != nil {
			t.Fatal(err)
		}
		if v := got[0].Points[0].V; v != want && !(math.IsNaN(v) && math.IsNaN(want)) {
			t.Errorf("%s is read as %v", said, v)
		}
	}
}

func TestAnswersThatAreNone(t *testing.T) {
	outside := fmt.Sprintf(`{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[%d,"1"]}]}}`, when.Unix()+60)
	for name, c := range map[string]struct {
		body string
		code string
		kind fault.Kind
	}{
		"a web page":           {"<!DOCTYPE html><html>sign in</html>", metrics.CodeNonsense, fault.Unavailable},
		"nothing":              {"", metrics.CodeNonsense, fault.Unavailable},
		"other JSON":           {`{"hello":"world"}`, metrics.CodeNonsense, fault.Unavailable},
		"a list":               {`[1,2]`, metrics.CodeNonsense, fault.Unavailable},
		"cut short":            {vector("1")[:60], metrics.CodeNonsense, fault.Unavailable},
		"another type":         {`{"status":"success","data":{"resultType":"streams","result":[]}}`, metrics.CodeNonsense, fault.Unavailable},
		"a number as value":    {strings.Replace(vector("1"), `"1"`, `1`, 1), metrics.CodeNonsense, fault.Unavailable},
		"a word as value":      {vector("many"), metrics.CodeNonsense, fault.Unavailable},
		"another moment":       {outside, metrics.CodeNonsense, fault.Unavailable},
		"an error with 200":    {`{"status":"error","errorType":"internal","error":"x"}`, metrics.CodeNonsense, fault.Unavailable},
		"an incomplete answer": {strings.Replace(vector("1"), `{"status"`, `{"warnings":["store gone"],"status"`, 1), metrics.CodePartial, fault.Unavailable},
		"a partial answer":     {strings.Replace(vector("1"), `{"status"`, `{"isPartial":true,"status"`, 1), metrics.CodePartial, fault.Unavailable},
		"a histogram":          {`{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"histogram":[1,{}]}]}}`, "metrics.histogram", fault.Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			var asked atomic.Int32
			cl := server(t, metrics.Connection{}, func(w http.ResponseWriter, _ *http.Request) {
				asked.Add(1)
				fmt.Fprint(w, c.body)
			})
			_, err := cl.Instant(t.Context(), "x", when)
			wantFault(t, err, c.kind, c.code)
			if asked.Load() != 1 {
				t.Errorf("asked %d times", asked.Load())
			}
		})
	}
}

func TestRemarksOfTheEngineAreNoFailure(t *testing.T) {
	c := server(t, metrics.Connection{}, func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, strings.Replace(vector("1"), `{"status"`, `{"warnings":["PromQL warning: mixed"],"infos":["PromQL info: not a counter"],"status"`, 1))
	})
	if _, err := c.Instant(t.Context(), "x", when); err != nil {
		t.Error(err)
	}
}

func TestAnEndlessAnswerIsCutOff(t *testing.T) {
	c := server(t, metrics.Connection{}, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, `{"status":"success","data":{"resultType":"vector","result":[`)
		item := strings.Repeat(fmt.Sprintf(`{"metric":{"a":"b"},"value":[%d,"1"]},`, when.Unix()), 1000)
		for r.Context().Err() == nil {
			if _, err := fmt.Fprint(w, item); err != nil {
				return
			}
		}
	})
	_, err := c.Instant(t.Context(), "x", when)
	wantFault(t, err, fault.Invalid, "metrics.too_large")
}

func TestATricklingAnswerEndsWithTheTimeout(t *testing.T) {
	c := server(t, metrics.Connection{Timeout: 50 * time.Millisecond}, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, `{"status":`)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	_, err := c.Instant(t.Context(), "x", when)
	wantFault(t, err, fault.Unavailable, metrics.CodeTimeout)
}

func TestASilentServerEndsWithTheTimeout(t *testing.T) {
	var asked atomic.Int32
	c := server(t, metrics.Connection{Timeout: 50 * time.Millisecond}, func(_ http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		_ = r.ParseForm() // the end of the request is noticed only after its body
		<-r.Context().Done()
	})
	_, err := c.Instant(t.Context(), "x", when)
	wantFault(t, err, fault.Unavailable, metrics.CodeTimeout)
	if asked.Load() != 1 {
		t.Errorf("asked %d times", asked.Load())
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := c.Instant(ctx, "x", when); !errors.Is(err, context.Canceled) {
		t.Errorf("the caller's own end: %v", err)
	}
}

func TestPassingFailuresAreAskedAgain(t *testing.T) {
	for name, fail := range map[string]http.HandlerFunc{
		"503": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) },
		"429": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(http.StatusTooManyRequests)
		},
		"500 with a page": func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "<html>", http.StatusInternalServerError) },
		"cut connection": func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				conn.Close()
			}
		},
		"cut answer": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			fmt.Fprint(w, vector("1")[:50])
		},
	} {
		t.Run(name, func(t *testing.T) {
			var asked atomic.Int32
			c := server(t, metrics.Connection{}, func(w http.ResponseWriter, r *http.Request) {
				if asked.Add(1) <= 2 {
					fail(w, r)
					return
				}
				fmt.Fprint(w, vector("1"))
			})
			if _, err := c.Instant(t.Context(), "x", when); err != nil || asked.Load() != 3 {
				t.Errorf("asked %d times: %v", asked.Load(), err)
			}
		})
	}
}

func TestFailuresThatStay(t *testing.T) {
	for _, c := range []struct {
		status int
		body   string
		kind   fault.Kind
		code   string
		asked  int32
	}{
		{401, "", fault.Unavailable, metrics.CodeAuth, 1},
		{403, "", fault.Unavailable, metrics.CodeAuth, 1},
		{404, "", fault.Unavailable, metrics.CodeNonsense, 1},
		{302, "", fault.Unavailable, metrics.CodeNonsense, 1},
		{500, "", fault.Unavailable, metrics.CodeGone, attempts},
		{400, `{"status":"error","errorType":"bad_data","error":"1:2: parse error: no"}`, fault.Invalid, "metrics.promql", 1},
		{422, `{"status":"error","errorType":"execution","error":"many-to-many matching not allowed"}`, fault.Invalid, "metrics.evaluation", 1},
		{422, `{"status":"error","errorType":"execution","error":"query processing would load too many samples into memory"}`, fault.Invalid, "metrics.too_large", 1},
		{503, `{"status":"error","errorType":"timeout","error":"query timed out"}`, fault.Unavailable, metrics.CodeTimeout, 1},
		{400, strings.Repeat("x", 1<<20), fault.Unavailable, metrics.CodeNonsense, 1},
	} {
		t.Run(fmt.Sprintf("%d %.40s", c.status, c.body), func(t *testing.T) {
			var asked atomic.Int32
			cl := server(t, metrics.Connection{}, func(w http.ResponseWriter, _ *http.Request) {
				asked.Add(1)
				if c.status == 302 {
					w.Header().Set("Location", "https://elsewhere.example.com/")
				}
				w.WriteHeader(c.status)
				fmt.Fprint(w, c.body)
			})
			_, err := cl.Instant(t.Context(), "x", when)
			f := wantFault(t, err, c.kind, c.code)
			if asked.Load() != c.asked {
				t.Errorf("asked %d times, want %d", asked.Load(), c.asked)
			}
			if len(f.What.EN) > 600 {
				t.Errorf("the message repeats the body: %d bytes", len(f.What.EN))
			}
		})
	}
}

func TestALongRetryAfterIsHandedOn(t *testing.T) {
	var asked atomic.Int32
	c := server(t, metrics.Connection{Timeout: 5 * time.Second}, func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.Header().Set("Retry-After", "60")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	_, err := c.Instant(t.Context(), "x", when)
	f := wantFault(t, err, fault.Unavailable, metrics.CodeBusy)
	if f.RetryAfter != time.Minute || asked.Load() != 1 {
		t.Errorf("retry after %s, asked %d times", f.RetryAfter, asked.Load())
	}
	at := time.Now().Add(90 * time.Second).UTC().Format(http.TimeFormat)
	if got := retryAfter(&http.Response{Header: http.Header{"Retry-After": {at}}}); got < 85*time.Second || got > 91*time.Second {
		t.Errorf("a date is read as %s", got)
	}
}

func TestNobodyListens(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	c := client(t, metrics.Connection{URL: "http://" + address})
	_, err = c.Instant(t.Context(), "x", when)
	f := wantFault(t, err, fault.Unavailable, metrics.CodeGone)
	if !strings.Contains(f.What.JA, address) {
		t.Error(f.What.JA)
	}
}

func TestNoMoreQuestionsAtATimeThanAllowed(t *testing.T) {
	var now, most atomic.Int32
	entered, gate := make(chan struct{}, 10), make(chan struct{})
	c := server(t, metrics.Connection{MaxConcurrency: 2}, func(w http.ResponseWriter, _ *http.Request) {
		n := now.Add(1)
		defer now.Add(-1)
		for {
			m := most.Load()
			if n <= m || most.CompareAndSwap(m, n) {
				break
			}
		}
		entered <- struct{}{}
		<-gate
		fmt.Fprint(w, vector("1"))
	})
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			if _, err := c.Instant(t.Context(), "x", when); err != nil {
				t.Error(err)
			}
		})
	}
	<-entered
	<-entered
	close(gate)
	wg.Wait()
	if most.Load() != 2 {
		t.Errorf("%d at a time, want 2", most.Load())
	}
}

func TestTLS(t *testing.T) {
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, vector("1")) }))
	defer srv.Close()
	ca := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw}))

	_, err := client(t, metrics.Connection{URL: srv.URL}).Instant(t.Context(), "x", when)
	wantFault(t, err, fault.Unavailable, metrics.CodeTLS)
	for name, c := range map[string]metrics.TLS{"authority": {CA: ca}, "unverified": {InsecureSkipVerify: true}} {
		if _, err := client(t, metrics.Connection{URL: srv.URL, TLS: c}).Instant(t.Context(), "x", when); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err = client(t, metrics.Connection{URL: srv.URL, TLS: metrics.TLS{CA: ca, ServerName: "other.invalid"}}).Instant(t.Context(), "x", when)
	wantFault(t, err, fault.Unavailable, metrics.CodeTLS)
	_, err = client(t, metrics.Connection{URL: strings.Replace(srv.URL, "https", "http", 1)}).Instant(t.Context(), "x", when)
	if fault.KindOf(err) != fault.Unavailable {
		t.Errorf("http to an https port: %v", err)
	}
}

func TestAddressesCanBeForbidden(t *testing.T) {
	var asked atomic.Int32
	c := server(t, metrics.Connection{DialGuard: func(_ context.Context, _ string, a net.Addr) error {
		if a.(*net.TCPAddr).IP.IsLoopback() {
			return fault.New(fault.Denied, "net.forbidden", text.Say("not there", "接続できません"))
		}
		return nil
	}}, func(http.ResponseWriter, *http.Request) { asked.Add(1) })
	_, err := c.Instant(t.Context(), "x", when)
	wantFault(t, err, fault.Denied, "net.forbidden")
	if asked.Load() != 0 {
		t.Error("the server was reached")
	}
}

func TestConnectionsThatCannotBeRight(t *testing.T) {
	for field, c := range map[string]metrics.Connection{
		"url":      {URL: "prometheus:9090"},
		"url ":     {URL: "http://user:pass@host"},
		"url  ":    {URL: "http://host?x=1"},
		"headers":  {URL: "http://h", Headers: map[string]string{"Host": "x"}},
		"tls.ca":   {URL: "https://h", TLS: metrics.TLS{CA: "x"}},
		"tls.cert": {URL: "https://h", TLS: metrics.TLS{Cert: "x"}},
	} {
		_, err := Open(c)
		if f, ok := fault.As(err); !ok || f.Kind != fault.Invalid || f.Field != strings.TrimSpace(field) {
			t.Errorf("%+v: %v", c, err)
		}
	}
	c := client(t, metrics.Connection{URL: "http://host/prometheus/api/v1/"})
	if got := c.base.JoinPath("api", "v1", "query").String(); got != "http://host/prometheus/api/v1/query" {
		t.Error(got)
	}
}

func TestCheckFindsOutWhetherIncreasesAreExact(t *testing.T) {
	for _, knows := range []bool{true, false} {
		c := server(t, metrics.Connection{}, func(w http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.FormValue("query"), "anchored") && !knows {
				w.WriteHeader(http.StatusBadRequest)
				fmt.Fprint(w, `{"status":"error","errorType":"bad_data","error":"anchored modifier is experimental and not enabled"}`)
				return
			}
			fmt.Fprint(w, `{"status":"success","data":{"resultType":"vector","result":[]}}`)
		})
		if c.Anchored() {
			t.Error("exact before it was asked")
		}
		if err := c.Check(t.Context()); err != nil || c.Anchored() != knows {
			t.Errorf("knows %v: %v, %v", knows, c.Anchored(), err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(vector("1")))
	f.Add([]byte(`{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[1,"2"],[2.5,"NaN"]]}]}}`))
	f.Add([]byte(`{"status":"success","data":{"resultType":"scalar","result":[1,"2"]}}`))
	f.Add([]byte(`{"data":{"result":[[[[`))
	f.Fuzz(func(t *testing.T, body []byte) {
		g := grid{from: 0, to: 1 << 50, step: 1}
		got, err := decode(strings.NewReader(string(body)), g)
		if err != nil {
			return
		}
		for _, s := range got {
			for i, p := range s.Points {
				if i > 0 && p.T <= s.Points[i-1].T {
					t.Fatalf("times go back in %q", body)
				}
			}
		}
	})
}

func TestPointsAreReadAsTheyAreWritten(t *testing.T) {
	var got points
	if err := got.UnmarshalJSON([]byte(" [ [1772366400.123, \"1\"] ,\n[1772366460,\"2.5e3\"] ] ")); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(points{{T: 1772366400123, V: 1}, {T: 1772366460000, V: 2500}}, got); d != "" {
		t.Error(d)
	}
	for _, bad := range []string{`[1]`, `[["a","1"]]`, `[[1,1]]`, `[[1,"1"]`[:6], `{}`, `[[1,"1",2]]`} {
		if err := got.UnmarshalJSON([]byte(bad)); err == nil {
			t.Errorf("%s is accepted", bad)
		}
	}
}

func BenchmarkDecodeTenThousandPoints(b *testing.B) {
	var values strings.Builder
	for i := range 10_000 {
		if i > 0 {
			values.WriteByte(',')
		}
		fmt.Fprintf(&values, `[%d,"%d.25"]`, 1772366400+60*i, i)
	}
	body := `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[` + values.String() + `]}]}}`
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if _, err := decode(strings.NewReader(body), grid{from: 0, to: math.MaxInt64, step: 1}); err != nil {
			b.Fatal(err)
		}
	}
}
