// Receives where the person is, and refuses what a robot must not act upon. nasion_judge.hpp beside it judges.
//
//   sudo apt-get install g++ libmosquitto-dev nlohmann-json3-dev
//   g++ -std=c++17 -O2 -Wall -Wextra nasion_receiver.cpp -o nasion_receiver -lmosquitto
//   ./nasion_receiver HOST [PORT [PREFIX [CAMERA [MAX_AGE_MS [SILENT_MS]]]]]
//
// Silence means a fault: also with nobody in view there is a message for each frame. `silent: stop` is printed when
// nothing was accepted for SILENT_MS: stop the robot. From the environment come NASION_MQTT_USER and
// NASION_MQTT_PASSWORD, and NASION_MQTT_CA_FILE: with it the broker is spoken to by TLS and must show a certificate of
// that authority for its host name. NASION_MQTT_CERT_FILE and NASION_MQTT_KEY_FILE are our own, where it asks for one.

#include "nasion_judge.hpp"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <mosquitto.h>
#include <mqtt_protocol.h>

// What the environment says; nothing where it is empty.
const char* told(const char* name) {
    const char* value = std::getenv(name);
    return value && *value ? value : nullptr;
}

volatile std::sig_atomic_t ending = 0;

void on_connect(mosquitto* client, void* data, int refusal) {
    if (refusal != 0) {
        std::printf("refused by the broker: %s\n", mosquitto_connack_string(refusal));
        return;
    }
    // QoS 0: a message that is late need not be brought again.
    mosquitto_subscribe(client, nullptr, static_cast<nasion::Gate*>(data)->topic.c_str(), 0);
}

void on_subscribe(mosquitto*, void* data, int, int count, const int* granted) {
    const bool allowed = count == 1 && granted[0] < 128;
    std::printf("%s %s\n", allowed ? "subscribed" : "refused by the broker: the subscription to",
                static_cast<nasion::Gate*>(data)->topic.c_str());
}

// Nothing may leave it: libmosquitto is C and knows no exceptions.
void on_message(mosquitto*, void* data, const mosquitto_message* arrived) noexcept {
    auto& gate = *static_cast<nasion::Gate*>(data);
    const auto verdict = gate.judge(arrived->topic, arrived->retain, arrived->payload, size_t(arrived->payloadlen),
                                    nasion::read_now());
    if (verdict.code != "accepted") {
        std::printf("refused %s", verdict.code.c_str());
        if (verdict.age_ms) std::printf(" %.1f ms", *verdict.age_ms);
        nasion::Json refused = gate.counts;
        refused.erase("accepted");
        std::printf("; so far %s\n", refused.dump().c_str());
        return;
    }
    std::printf("accepted session %llu seq %lld missed %llu age %.1f ms: ", (unsigned long long)gate.sessions,
                (long long)verdict.seq, (unsigned long long)gate.missed, *verdict.age_ms);
    if (verdict.nearest)
        std::printf("at %s\n", nasion::Json(verdict.nearest->position_m).dump().c_str());
    else  // The robot does not know where anybody is; only no_face and low_probability mean that nobody is seen.
        std::printf("nobody (%s)\n", verdict.reason.empty() ? "None" : verdict.reason.c_str());
}

int main(int count, char** words) {
    if (count < 2 || count > 7) {
        std::fprintf(stderr, "usage: %s HOST [PORT [PREFIX [CAMERA [MAX_AGE_MS [SILENT_MS]]]]]\n", words[0]);
        return 2;
    }
    const int port = count > 2 ? std::atoi(words[2]) : 1883;
    const std::string prefix = count > 3 ? words[3] : "nasion", camera = count > 4 ? words[4] : "cam0";
    const double max_age_ms = count > 5 ? std::atof(words[5]) : nasion::kMaxAgeMs;
    const double silent_ms = count > 6 ? std::atof(words[6]) : nasion::kSilentMs;
    std::optional<nasion::Gate> gate;
    try {
        gate.emplace(prefix, camera, nasion::read_boot_id(), max_age_ms, silent_ms);
    } catch (const std::invalid_argument& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 2;
    }
    std::setvbuf(stdout, nullptr, _IOLBF, 0);
    std::signal(SIGINT, [](int) { ending = 1; });
    std::signal(SIGTERM, [](int) { ending = 1; });

    mosquitto_lib_init();
    mosquitto* client = mosquitto_new(nullptr, true, &*gate);
    mosquitto_int_option(client, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
    if (const char* user = told("NASION_MQTT_USER"))
        mosquitto_username_pw_set(client, user, told("NASION_MQTT_PASSWORD"));
    if (const char* authority = told("NASION_MQTT_CA_FILE")) {
        const int taken = mosquitto_tls_set(client, authority, nullptr, told("NASION_MQTT_CERT_FILE"),
                                            told("NASION_MQTT_KEY_FILE"), nullptr);
        // Without this it would go on, and in clear.
        if (taken != MOSQ_ERR_SUCCESS) {
            std::fprintf(stderr, "the files that the environment names for TLS: %s\n", mosquitto_strerror(taken));
            return 2;
        }
    }
    mosquitto_connect_callback_set(client, on_connect);
    mosquitto_subscribe_callback_set(client, on_subscribe);
    mosquitto_message_callback_set(client, on_message);
    // What is refused as too large anyway need not be sent to us, nor fill our memory.
    mosquitto_property* properties = nullptr;
    mosquitto_property_add_int32(&properties, MQTT_PROP_MAXIMUM_PACKET_SIZE, uint32_t(nasion::kMaxBytes + 4096));

    bool silent = false;
    // The first attempt, and one a second after every loss. Keepalive is 5 s, the least that libmosquitto takes.
    int state = mosquitto_connect_bind_v5(client, words[1], port, 5, nullptr, properties);
    while (!ending) {
        if (state == MOSQ_ERR_SUCCESS) {
            state = mosquitto_loop(client, 20, 1);
        } else {
            std::printf("disconnected: %s\n", mosquitto_strerror(state));
            for (int pause = 0; pause < 10 && !ending; ++pause) {
                const timespec tenth{0, 100000000};
                nanosleep(&tenth, nullptr);
            }
            state = mosquitto_reconnect(client);
        }
        if (gate->silent(nasion::read_now()) != silent) {
            silent = !silent;
            std::printf(silent ? "silent: stop\n" : "heard again\n");
        }
    }
    mosquitto_disconnect(client);
    mosquitto_property_free_all(&properties);
    mosquitto_destroy(client);
    mosquitto_lib_cleanup();
    return 0;
}
