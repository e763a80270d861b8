// The scenarios of the official Go client. Reads its settings from the environment, prints `ok NAME` or `not ok NAME: WHY` for each.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/centrifugal/centrifuge-go"
)

const wait = 10 * time.Second

var (
	wsURL             = os.Getenv("CONFORMANCE_WS_URL")
	apiURL            = os.Getenv("CONFORMANCE_API_URL")
	apiKey            = os.Getenv("CONFORMANCE_API_KEY")
	token             = os.Getenv("CONFORMANCE_TOKEN")
	subsToken         = os.Getenv("CONFORMANCE_SUBS_TOKEN")
	subscriptionToken = os.Getenv("CONFORMANCE_SUBSCRIPTION_TOKEN")
	expiredToken      = os.Getenv("CONFORMANCE_EXPIRED_TOKEN")
)

// event is something that a client or a subscription told, with what a scenario looks at.
type event struct {
	name      string
	code      uint32
	channel   string
	data      string
	offset    uint64
	user      string
	recovered bool
	client    string
}

type events chan event

// next gives the first event of this name, and drops those before it.
func (e events) next(name string) (event, error) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		select {
		case ev := <-e:
			if ev.name == name {
				return ev, nil
			}
		case <-timer.C:
			return event{}, fmt.Errorf("waited for the event %s", name)
		}
	}
}

// scenario is what one works with: clients of one protocol, and the server API.
type scenario struct {
	protobuf bool
	number   int
	clients  []*centrifuge.Client
}

func (s *scenario) channel(namespace string) string {
	s.number++
	return fmt.Sprintf("%s:go-%d-%d", namespace, time.Now().UnixNano(), s.number)
}

func (s *scenario) api(method string, params any) error {
	body, err := json.Marshal(params)
	if err != nil {
		return err
	}
	request, err := http.NewRequest(http.MethodPost, apiURL+"/"+method, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("X-API-Key", apiKey)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	var answer struct {
		Error *struct {
			Code int `json:"code"`
		} `json:"error"`
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return err
	}
	if answer.Error != nil {
		return fmt.Errorf("%s: error %d", method, answer.Error.Code)
	}
	return nil
}

func (s *scenario) publish(channel string, data string) error {
	return s.api("publish", map[string]any{"channel": channel, "data": json.RawMessage(data)})
}

func (s *scenario) client(config centrifuge.Config) (*centrifuge.Client, events) {
	config.MinReconnectDelay = 20 * time.Millisecond
	create := centrifuge.NewJsonClient
	if s.protobuf {
		create = centrifuge.NewProtobufClient
	}
	client := create(wsURL, config)
	s.clients = append(s.clients, client)
	told := make(events, 100)
	client.OnConnected(func(e centrifuge.ConnectedEvent) { told <- event{name: "connected", client: e.ClientID} })
	client.OnDisconnected(func(e centrifuge.DisconnectedEvent) { told <- event{name: "disconnected", code: e.Code} })
	client.OnSubscribed(func(e centrifuge.ServerSubscribedEvent) {
		told <- event{name: "subscribed", channel: e.Channel, recovered: e.Recovered}
	})
	client.OnPublication(func(e centrifuge.ServerPublicationEvent) {
		told <- event{name: "publication", channel: e.Channel, data: string(e.Data), offset: e.Offset}
	})
	return client, told
}

func (s *scenario) connected() (*centrifuge.Client, events, string, error) {
	client, told := s.client(centrifuge.Config{Token: token})
	if err := client.Connect(); err != nil {
		return nil, nil, "", err
	}
	ev, err := told.next("connected")
	return client, told, ev.client, err
}

func (s *scenario) subscription(client *centrifuge.Client, channel string, config centrifuge.SubscriptionConfig) (*centrifuge.Subscription, events, error) {
	subscription, err := client.NewSubscription(channel, config)
	if err != nil {
		return nil, nil, err
	}
	told := make(events, 100)
	subscription.OnSubscribed(func(e centrifuge.SubscribedEvent) {
		told <- event{name: "subscribed", recovered: e.Recovered}
	})
	subscription.OnUnsubscribed(func(e centrifuge.UnsubscribedEvent) { told <- event{name: "unsubscribed", code: e.Code} })
	subscription.OnPublication(func(e centrifuge.PublicationEvent) {
		user := ""
		if e.Info != nil {
			user = e.Info.User
		}
		told <- event{name: "publication", data: string(e.Data), offset: e.Offset, user: user}
	})
	return subscription, told, subscription.Subscribe()
}

func (s *scenario) subscribed(channel string, config centrifuge.SubscriptionConfig) (*centrifuge.Client, events, *centrifuge.Subscription, events, string, error) {
	client, clientTold, id, err := s.connected()
	if err != nil {
		return nil, nil, nil, nil, "", err
	}
	subscription, told, err := s.subscription(client, channel, config)
	if err == nil {
		_, err = told.next("subscribed")
	}
	return client, clientTold, subscription, told, id, err
}

func check(what string, actual, expected any) error {
	if actual != expected {
		return fmt.Errorf("%s: expected %v, got %v", what, expected, actual)
	}
	return nil
}

func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func receives(s *scenario) error {
	channel := s.channel("plain")
	_, _, _, told, _, err := s.subscribed(channel, centrifuge.SubscriptionConfig{})
	if err != nil {
		return err
	}
	if err := s.publish(channel, `{"n":1}`); err != nil {
		return err
	}
	ev, err := told.next("publication")
	return first(err, check("data", ev.data, `{"n":1}`))
}

func publishes(s *scenario) error {
	channel := s.channel("open")
	_, _, subscription, told, _, err := s.subscribed(channel, centrifuge.SubscriptionConfig{})
	if err != nil {
		return err
	}
	if _, err := subscription.Publish(context.Background(), []byte(`{"n":2}`)); err != nil {
		return err
	}
	ev, err := told.next("publication")
	return first(err, check("data", ev.data, `{"n":2}`), check("offset", ev.offset, uint64(1)), check("user", ev.user, "go"))
}

func reads(s *scenario) error {
	channel := s.channel("open")
	_, _, subscription, _, _, err := s.subscribed(channel, centrifuge.SubscriptionConfig{})
	if err != nil {
		return err
	}
	if err := first(s.publish(channel, "1"), s.publish(channel, "2")); err != nil {
		return err
	}
	history, err := subscription.History(context.Background(), centrifuge.WithHistoryLimit(10))
	if err != nil {
		return err
	}
	presence, err := subscription.Presence(context.Background())
	if err != nil {
		return err
	}
	stats, err := subscription.PresenceStats(context.Background())
	return first(
		err,
		check("publications", len(history.Publications), 2),
		check("offset", history.Offset, uint64(2)),
		check("presence", len(presence.Clients), 1),
		check("clients", stats.NumClients, 1),
		check("users", stats.NumUsers, 1),
	)
}

func recovers(s *scenario) error {
	channel := s.channel("recovery")
	client, clientTold, _, told, _, err := s.subscribed(channel, centrifuge.SubscriptionConfig{})
	if err != nil {
		return err
	}
	if err := client.Disconnect(); err != nil {
		return err
	}
	if _, err := clientTold.next("disconnected"); err != nil {
		return err
	}
	if err := s.publish(channel, `{"n":1}`); err != nil {
		return err
	}
	if err := client.Connect(); err != nil {
		return err
	}
	again, err := told.next("subscribed")
	if err := first(err, check("recovered", again.recovered, true)); err != nil {
		return err
	}
	ev, err := told.next("publication")
	return first(err, check("data", ev.data, `{"n":1}`), check("offset", ev.offset, uint64(1)))
}

func serverSide(s *scenario) error {
	client, told := s.client(centrifuge.Config{Token: subsToken})
	if err := client.Connect(); err != nil {
		return err
	}
	ev, err := told.next("subscribed")
	if err := first(err, check("channel", ev.channel, "trpc:go-token")); err != nil {
		return err
	}
	if err := s.publish("trpc:go-token", `{"n":1}`); err != nil {
		return err
	}
	ev, err = told.next("publication")
	return first(err, check("data", ev.data, `{"n":1}`))
}

func bySubscriptionToken(s *scenario) error {
	_, _, _, _, _, err := s.subscribed("closed:go-sub", centrifuge.SubscriptionConfig{Token: subscriptionToken})
	return err
}

func refused(s *scenario) error {
	client, _, _, err := s.connected()
	if err != nil {
		return err
	}
	_, told, err := s.subscription(client, s.channel("closed"), centrifuge.SubscriptionConfig{})
	if err != nil {
		return err
	}
	ev, err := told.next("unsubscribed")
	return first(err, check("code", ev.code, uint32(103)))
}

func renewsToken(s *scenario) error {
	client, told := s.client(centrifuge.Config{
		Token:    expiredToken,
		GetToken: func(centrifuge.ConnectionTokenEvent) (string, error) { return token, nil },
	})
	if err := client.Connect(); err != nil {
		return err
	}
	_, err := told.next("connected")
	return err
}

func invalidToken(s *scenario) error {
	client, told := s.client(centrifuge.Config{Token: "garbage"})
	if err := client.Connect(); err != nil {
		return err
	}
	ev, err := told.next("disconnected")
	return first(err, check("code", ev.code, uint32(3500)))
}

func endedByAPI(s *scenario) error {
	channel := s.channel("plain")
	_, clientTold, _, told, id, err := s.subscribed(channel, centrifuge.SubscriptionConfig{})
	if err != nil {
		return err
	}
	if err := s.api("unsubscribe", map[string]any{"user": "go", "channel": channel}); err != nil {
		return err
	}
	ev, err := told.next("unsubscribed")
	if err := first(err, check("code", ev.code, uint32(2000))); err != nil {
		return err
	}
	if err := s.api("disconnect", map[string]any{"user": "go", "client": id}); err != nil {
		return err
	}
	ev, err = clientTold.next("disconnected")
	return first(err, check("code", ev.code, uint32(3503)))
}

func rpcRefused(s *scenario) error {
	client, _, _, err := s.connected()
	if err != nil {
		return err
	}
	_, err = client.RPC(context.Background(), "x", []byte("{}"))
	if err == nil || !strings.Contains(err.Error(), "108") {
		return fmt.Errorf("expected error 108, got %v", err)
	}
	return nil
}

func main() {
	scenarios := []struct {
		name  string
		prove func(*scenario) error
	}{
		{"receives what is published", receives},
		{"publishes and hears itself", publishes},
		{"reads history and presence", reads},
		{"recovers what it missed", recovers},
		{"hears of the channels of its token", serverSide},
		{"subscribes by a token", bySubscriptionToken},
		{"is refused with 103", refused},
		{"renews an expired token", renewsToken},
		{"is told that a token is invalid", invalidToken},
		{"is unsubscribed and disconnected by the server API", endedByAPI},
		{"gets error 108 for an rpc that nobody answers", rpcRefused},
	}
	for _, protocol := range strings.Split(os.Getenv("CONFORMANCE_PROTOCOLS"), ",") {
		for _, one := range scenarios {
			s := &scenario{protobuf: protocol == "protobuf"}
			name := "client with " + protocol + " " + one.name
			if err := one.prove(s); err != nil {
				fmt.Printf("not ok %s: %v\n", name, err)
			} else {
				fmt.Printf("ok %s\n", name)
			}
			for _, client := range s.clients {
				client.Close()
			}
		}
	}
}
