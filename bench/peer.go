package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"

	"github.com/centrifugal/centrifuge"
)

// runPeerServer serves websockets with the library centrifuge alone: channels in memory instead of rooms, whoever comes may subscribe and
// publish, and nothing is stored. It is the ceiling for what the product does beside access, GraphQL and storing.
func runPeerServer(ctx context.Context, flags *flag.FlagSet, args []string) error {
	listen := flags.String("listen", "127.0.0.1:0", "address to listen on; port 0 takes a free one")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if os.Getenv("GOGC") == "" { // as the product decides it
		debug.SetGCPercent(floorGC)
	}
	debug.SetMemoryLimit(floorMem)
	node, handler, err := newPeer()
	if err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", *listen)
	if err != nil {
		return fmt.Errorf("cannot listen on %s; is something else there? (%w)", *listen, err)
	}
	fmt.Printf("peer server at http://%s; it ends with its standard input\n", listener.Addr())
	err = serveFloor(ctx, listener, handler)
	end, stop := context.WithTimeout(context.WithoutCancel(ctx), floorStop)
	defer stop()
	return errors.Join(err, node.Shutdown(end))
}

// newPeer makes a running node and what serves it.
func newPeer() (*centrifuge.Node, http.Handler, error) {
	node, err := centrifuge.New(centrifuge.Config{})
	if err != nil {
		return nil, nil, err
	}
	node.OnConnecting(func(_ context.Context, e centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) {
		return centrifuge.ConnectReply{Credentials: &centrifuge.Credentials{UserID: e.Token}}, nil
	})
	node.OnConnect(func(client *centrifuge.Client) {
		client.OnSubscribe(func(_ centrifuge.SubscribeEvent, done centrifuge.SubscribeCallback) {
			done(centrifuge.SubscribeReply{}, nil)
		})
		client.OnPublish(func(_ centrifuge.PublishEvent, done centrifuge.PublishCallback) {
			done(centrifuge.PublishReply{}, nil)
		})
	})
	if err := node.Run(); err != nil {
		return nil, nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
	mux.HandleFunc("GET /metrics", writeMetrics)
	mux.Handle("/connection", centrifuge.NewWebsocketHandler(node, centrifuge.WebsocketConfig{ReadBufferSize: 512, UseWriteBufferPool: true}))
	return node, mux, nil
}

// writeMetrics tells about the process by the names that the product uses, too.
func writeMetrics(w http.ResponseWriter, _ *http.Request) {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	_, _ = fmt.Fprintf(w, "go_goroutines %d\ngo_memstats_heap_inuse_bytes %d\ngo_memstats_stack_inuse_bytes %d\n",
		runtime.NumGoroutine(), m.HeapInuse, m.StackInuse)
}
