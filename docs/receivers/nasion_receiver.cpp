// Receives where the person is, and refuses what a robot must not act upon. One file to copy.
//
//   sudo apt-get install g++ libmosquitto-dev nlohmann-json3-dev
//   g++ -std=c++17 -O2 -Wall -Wextra nasion_receiver.cpp -o nasion_receiver -lmosquitto
//   ./nasion_receiver HOST [PORT [PREFIX [CAMERA [MAX_AGE_MS]]]]
//
// A message is refused when it is
// - stale: older on arrival than its max_age_ms (or than MAX_AGE_MS, where that is less). Its age is told by the
//   monotonic clock where it comes from this very boot of this host, else by the wall clocks: keep them by NTP or PTP;
// - future: captured more than 50 ms from now, so that the clocks disagree;
// - repeated: not newer than one that was accepted;
// - malformed: not a `person` message of schema 1.
//
// Silence means a fault: also with nobody in view there is a message for each frame. Stop the robot when it lasts.
// From the environment come NASION_MQTT_USER and NASION_MQTT_PASSWORD, and NASION_MQTT_CA_FILE: with it the broker is
// spoken to by TLS and must show a certificate of that authority for its host name. NASION_MQTT_CERT_FILE and
// NASION_MQTT_KEY_FILE are our own, where the broker asks for one.

#include <mosquitto.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <time.h>

using Json = nlohmann::json;

constexpr int kSchema = 1;
constexpr double kFutureToleranceMs = 50.0;
constexpr double kSilentS = 1.5;

// Nanoseconds of a clock of this host.
int64_t now_ns(clockid_t clock) {
    timespec now{};
    clock_gettime(clock, &now);
    return int64_t{now.tv_sec} * 1000000000 + now.tv_nsec;
}

// This boot of this host; empty where it cannot be told.
std::string read_boot_id() {
    std::ifstream file("/proc/sys/kernel/random/boot_id");
    std::string id;
    std::getline(file, id);
    return id;
}

int64_t nanoseconds(const Json& value) {
    const auto& text = value.get_ref<const std::string&>();  // Throws where it is no string.
    const size_t digits = text.size() - (text.rfind('-', 0) == 0 ? 1 : 0);
    if (digits < 1 || digits > 19 || text.find_first_not_of("0123456789", text.size() - digits) != std::string::npos)
        throw std::invalid_argument("expected nanoseconds as a decimal string");
    return std::stoll(text);  // Throws where 64 bits cannot hold it.
}

void check_numbers(const Json& values, size_t count) {
    if (!values.is_array() || values.size() != count) throw std::invalid_argument("expected a list of numbers");
    for (const Json& value : values)
        if (!value.is_number() || !std::isfinite(value.get<double>())) throw std::invalid_argument("expected a number");
}

struct Message {
    std::string session, frame_id, reason, boot_id;
    int64_t seq = 0, captured_ns = 0;
    std::optional<int64_t> monotonic_ns;
    double max_age_ms = 0;
    std::optional<Json> nearest;  // The valid person with the least range.
};

// Throws std::exception of anything that is not a message of this schema.
Message read_message(const std::string& payload) {
    const Json json = Json::parse(payload);
    Message message;
    if (!json.at("schema").is_number_integer() || json["schema"].get<int>() != kSchema)
        throw std::invalid_argument("another schema");
    message.session = json.at("session").get<std::string>();
    message.frame_id = json.at("frame_id").get<std::string>();
    if (!json.at("seq").is_number_integer()) throw std::invalid_argument("seq");
    message.seq = json["seq"].get<int64_t>();
    message.captured_ns = nanoseconds(json.at("captured_ns"));
    if (json.contains("monotonic_ns")) message.monotonic_ns = nanoseconds(json["monotonic_ns"]);
    if (json.contains("boot_id")) message.boot_id = json["boot_id"].get<std::string>();
    if (!json.at("max_age_ms").is_number()) throw std::invalid_argument("max_age_ms");
    message.max_age_ms = json["max_age_ms"].get<double>();
    if (!(message.max_age_ms > 0) || !std::isfinite(message.max_age_ms)) throw std::invalid_argument("max_age_ms");
    if (json.at("reason").is_string()) message.reason = json["reason"].get<std::string>();
    if (!json.at("persons").is_array()) throw std::invalid_argument("persons");
    for (const Json& person : json["persons"]) {
        if (!person.at("valid").get<bool>()) continue;
        check_numbers(person.at("position_m"), 3);
        check_numbers(person.at("covariance_m2"), 9);
        check_numbers(Json::array({person.at("range_m")}), 1);
        const double range = person.at("range_m").get<double>();
        if (!message.nearest || range < (*message.nearest)["range_m"].get<double>()) message.nearest = person;
    }
    return message;
}

// Judges the messages of one camera.
class Gate {
   public:
    Gate(double max_age_ms, std::string boot_id) : max_age_ms_(max_age_ms), boot_id_(std::move(boot_id)) {}

    std::map<std::string, int64_t> refused;
    int64_t accepted = 0, missed = 0, sessions = 0;

    // The cause of a refusal, or nothing; `message` and `age_ms` are set as far as they could be told.
    std::optional<std::string> judge(const std::string& payload, int64_t utc_ns, int64_t monotonic_ns, Message& message,
                                     std::optional<double>& age_ms) {
        try {
            message = read_message(payload);
        } catch (const std::exception&) {
            return refuse("malformed");
        }
        const bool same_boot = message.monotonic_ns && !boot_id_.empty() && message.boot_id == boot_id_;
        // In floating point, because no stamp may overflow the difference.
        age_ms = same_boot ? (double(monotonic_ns) - double(*message.monotonic_ns)) / 1e6
                           : (double(utc_ns) - double(message.captured_ns)) / 1e6;
        if (*age_ms > std::min(message.max_age_ms, max_age_ms_)) return refuse("stale");
        if (*age_ms < -kFutureToleranceMs) return refuse("future");
        if (message.session != session_) {
            ++sessions;
        } else if (message.seq <= seq_) {
            return refuse("repeated");
        } else {
            missed += message.seq - seq_ - 1;
        }
        session_ = message.session;
        seq_ = message.seq;
        heard_ns_ = monotonic_ns;
        ++accepted;
        return std::nullopt;
    }

    // Seconds since the last accepted message; infinite before the first.
    double silent_s(int64_t monotonic_ns) const {
        return heard_ns_ ? double(monotonic_ns - *heard_ns_) / 1e9 : std::numeric_limits<double>::infinity();
    }

   private:
    std::optional<std::string> refuse(const char* cause) {
        ++refused[cause];
        return cause;
    }

    double max_age_ms_;
    std::string boot_id_, session_;
    int64_t seq_ = -1;
    std::optional<int64_t> heard_ns_;
};

// What the environment says; nothing where it is empty.
const char* told(const char* name) {
    const char* value = std::getenv(name);
    return value && *value ? value : nullptr;
}

struct Receiver {
    Gate gate;
    std::string topic;
};

volatile std::sig_atomic_t ending = 0;

void on_connect(mosquitto* client, void* data, int refusal) {
    if (refusal != 0) {
        std::printf("refused by the broker: %s\n", mosquitto_connack_string(refusal));
        return;
    }
    // QoS 0: a message that is late need not be brought again.
    mosquitto_subscribe(client, nullptr, static_cast<Receiver*>(data)->topic.c_str(), 0);
}

void on_subscribe(mosquitto*, void* data, int, int, const int*) {
    std::printf("subscribed %s\n", static_cast<Receiver*>(data)->topic.c_str());
}

void on_message(mosquitto*, void* data, const mosquitto_message* arrived) {
    Gate& gate = static_cast<Receiver*>(data)->gate;
    const std::string payload(static_cast<const char*>(arrived->payload), size_t(arrived->payloadlen));
    Message message;
    std::optional<double> age_ms;
    const auto cause = gate.judge(payload, now_ns(CLOCK_REALTIME), now_ns(CLOCK_MONOTONIC), message, age_ms);
    if (cause) {
        std::printf("refused %s", cause->c_str());
        if (age_ms) std::printf(" %.1f ms", *age_ms);
        std::printf("; so far %s\n", Json(gate.refused).dump().c_str());
        return;
    }
    std::printf("accepted session %lld seq %lld missed %lld age %.1f ms: ", (long long)gate.sessions,
                (long long)message.seq, (long long)gate.missed, *age_ms);
    if (message.nearest)
        std::printf("at %s\n", (*message.nearest)["position_m"].dump().c_str());
    else
        std::printf("nobody (%s)\n", message.reason.empty() ? "None" : message.reason.c_str());
}

int main(int count, char** words) {
    if (count < 2 || count > 6) {
        std::fprintf(stderr, "usage: %s HOST [PORT [PREFIX [CAMERA [MAX_AGE_MS]]]]\n", words[0]);
        return 2;
    }
    const int port = count > 2 ? std::atoi(words[2]) : 1883;
    const std::string prefix = count > 3 ? words[3] : "nasion", camera = count > 4 ? words[4] : "cam0";
    const double max_age_ms = count > 5 ? std::atof(words[5]) : std::numeric_limits<double>::infinity();
    std::setvbuf(stdout, nullptr, _IOLBF, 0);
    std::signal(SIGINT, [](int) { ending = 1; });
    std::signal(SIGTERM, [](int) { ending = 1; });

    Receiver receiver{Gate(max_age_ms, read_boot_id()), prefix + "/" + camera + "/person"};
    mosquitto_lib_init();
    mosquitto* client = mosquitto_new(nullptr, true, &receiver);
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

    bool silent = false;
    // The first attempt, and one a second after every loss. Keepalive is 5 s, the least that libmosquitto takes.
    int state = mosquitto_connect(client, words[1], port, 5);
    while (!ending) {
        if (state == MOSQ_ERR_SUCCESS) {
            state = mosquitto_loop(client, 100, 1);
        } else {
            std::printf("disconnected: %s\n", mosquitto_strerror(state));
            for (int pause = 0; pause < 10 && !ending; ++pause) {
                const timespec tenth{0, 100000000};
                nanosleep(&tenth, nullptr);
            }
            state = mosquitto_reconnect(client);
        }
        if ((receiver.gate.silent_s(now_ns(CLOCK_MONOTONIC)) > kSilentS) != silent) {
            silent = !silent;
            std::printf(silent ? "silent: stop\n" : "heard again\n");
        }
    }
    mosquitto_disconnect(client);
    mosquitto_destroy(client);
    mosquitto_lib_cleanup();
    return 0;
}
