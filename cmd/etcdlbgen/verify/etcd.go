package verify

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/schema/pattern"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// answer is what one connection got from etcd.
type answer struct {
	member, cluster uint64
	version         string
	leader          uint64
	learner         bool
	problems        []string // alarms and the like, in etcd's words
	denied          bool     // etcd knows who asks, and does not let them
	err             error
}

// client is a client of one endpoint, which stays with it: it never asks etcd for others.
func (v *verifier) client(ctx context.Context, e Endpoint, dial func(context.Context, string) (net.Conn, error)) (*clientv3.Client, error) {
	return clientv3.New(clientv3.Config{
		Endpoints: []string{e.URL},
		TLS:       v.tlsConfig(e),
		Context:   ctx,
		Logger:    zap.NewNop(),
		DialOptions: []grpc.DialOption{
			grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return dial(ctx, e.Address) }),
		},
	})
}

// ask opens a connection and asks the member that it leads to for its state, and for a read that needs the quorum.
func (v *verifier) ask(ctx context.Context, e Endpoint) answer {
	ctx, cancel := context.WithTimeout(ctx, v.CommandTimeout)
	defer cancel()
	c, err := v.client(ctx, e, v.connect)
	if err != nil {
		return answer{err: err}
	}
	defer c.Close()
	// The client's own Status would dial again, and behind a load balancer meet another member.
	state, err := pb.NewMaintenanceClient(c.ActiveConnection()).Status(ctx, &pb.StatusRequest{}, grpc.WaitForReady(true))
	if err = rpctypes.Error(err); err != nil {
		return answer{denied: denied(err), err: plain(err)}
	}
	a := answer{version: state.GetVersion(), leader: state.GetLeader(), learner: state.GetIsLearner(), problems: state.GetErrors()}
	if h := state.GetHeader(); h != nil {
		a.member, a.cluster = h.GetMemberId(), h.GetClusterId()
	}
	if a.learner { // takes no reads of this kind
		return a
	}
	_, err = c.Get(ctx, v.WatchKey, clientv3.WithCountOnly())
	a.denied = denied(err)
	if err != nil && !a.denied {
		a.err = plain(err)
	}
	return a
}

// denied reports whether etcd answered, but not what was asked: who asks may not read, or is no user.
func denied(err error) bool {
	return status.Code(err) == codes.PermissionDenied || errors.Is(err, rpctypes.ErrPermissionDenied) ||
		errors.Is(err, rpctypes.ErrUserEmpty) ||
		err != nil && strings.Contains(err.Error(), rpctypes.ErrPermissionDenied.Error()) // a watch has its text alone
}

// httpStatus is in gRPC's words for an answer that is not gRPC's.
var httpStatus = pattern.New(`HTTP status code received from server: (\d+) `)

// httpError is an answer of a proxy in the member's place.
type httpError int

func (e httpError) Error() string {
	return fmt.Sprintf("HTTP status %d %s", int(e), http.StatusText(int(e)))
}

// refusal reports whether a proxy that ends TLS took offence at the client's certificate: it says so only in HTTP.
func refusal(err error) bool {
	var e httpError
	return errors.As(err, &e) && e >= 400 && e < 500
}

// plain is an error without what gRPC puts around it.
func plain(err error) error {
	if err == nil || errors.Is(err, context.DeadlineExceeded) && status.Code(err) == codes.Unknown {
		return err
	}
	if m := httpStatus.FindStringSubmatch(err.Error()); m != nil {
		if code, err := strconv.Atoi(m[1]); err == nil {
			return httpError(code)
		}
	}
	if s, ok := status.FromError(err); ok {
		return errors.New(s.Message())
	}
	return err
}

// listedMember is a member as etcd lists it.
type listedMember struct {
	id      uint64
	name    string
	learner bool
	urls    []string
}

// members are those that etcd lists.
func (v *verifier) members(ctx context.Context, e Endpoint) ([]listedMember, error) {
	ctx, cancel := context.WithTimeout(ctx, v.CommandTimeout)
	defer cancel()
	c, err := v.client(ctx, e, v.connect)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	list, err := c.MemberList(ctx)
	if err != nil {
		return nil, plain(err)
	}
	out := make([]listedMember, len(list.Members))
	for i, m := range list.Members {
		out[i] = listedMember{m.GetID(), m.GetName(), m.GetIsLearner(), m.GetClientURLs()}
	}
	return out, nil
}
