// Whether a robot may act upon a `person` message: the same as nasion_judge.py, which says why. One file to copy; needs
// C++17 and nlohmann-json3-dev, and no broker.
//
//   nasion::Gate gate("nasion", "cam0", nasion::read_boot_id());
//   const auto verdict = gate.judge(topic, retained, bytes, size, nasion::read_now());  // Never throws.
//   if (verdict.code == "accepted" && verdict.nearest) ...                              // README.md lists the codes.
//   if (gate.silent(nasion::read_now())) stop();
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <time.h>
#include <utility>
#include <vector>

namespace nasion {

using Json = nlohmann::json;

constexpr int64_t kSchema = 1;
constexpr double kMaxAgeMs = 200.0, kSilentMs = 250.0, kLeastLimitMs = 1.0, kMostLimitMs = 60000.0;
constexpr double kLeastSilentMs = 100.0, kMostSilent = 4.0;
constexpr size_t kMaxBytes = 65536, kMaxNesting = 16, kMaxTextBytes = 256;
constexpr double kMaxNumber = 1e15;
constexpr int64_t kMaxCount = (int64_t{1} << 53) - 1;
constexpr int64_t kMaxWallNs = 2147483647000000000, kMaxMonotonicNs = 1000000000000000000;
constexpr double kToleranceMs = 50.0, kSameHostToleranceMs = 5.0;
constexpr int64_t kDrift = 2000, kFlowingNs = 100000000, kLearnNs = 500000000, kSuspendedNs = 10000000;
constexpr double kMinRangeM = 0.05, kMaxRangeM = 200.0, kToleranceM = 0.01, kToleranceShare = 0.01;
constexpr double kMaxMountM = 10.0, kMaxVarianceM2 = 1e6, kHalfPi = 1.5707963267948966;

const std::set<std::string> kFrameReasons = {"no_face",       "low_probability", "no_tensor",
                                             "corrupt_frame", "no_frame",        "frozen"};
const std::set<std::string> kPersonReasons = {"no_depth", "ambiguous", "too_near", "too_far", "jump", "unpaired", "eyes_do_not_fit"};

// An instant on three clocks of this host, nanoseconds: wall, monotonic, and since boot with suspensions.
struct Now {
    int64_t utc_ns, monotonic_ns, boottime_ns;
};

struct Person {
    double position_m[3], covariance_m2[9], range_m;
};

// `nearest`: the valid person with the least range; nobody where `reason` or the persons' own reasons say why.
struct Verdict {
    std::string code;
    std::optional<double> age_ms;
    std::string session, frame_id, reason;
    int64_t seq = 0, captured_ns = 0;
    std::optional<Person> nearest;
};

struct Refusal : std::runtime_error {
    explicit Refusal(const char* code, std::optional<double> age = std::nullopt)
        : std::runtime_error(code), age_ms(age) {}
    std::optional<double> age_ms;
};

// JSON, stricter than the library: no mark of UTF-8 before it, no NUL after it, no key twice, not too deep.
inline Json strict_json(const std::string& text) {
    if (text.find('\0') != std::string::npos || text.rfind("\xEF\xBB\xBF", 0) == 0) throw Refusal("not_json");
    std::vector<std::set<std::string>> levels;
    const auto check = [&levels](int, Json::parse_event_t event, Json& value) {
        using Event = Json::parse_event_t;
        if (event == Event::object_start || event == Event::array_start) {
            levels.emplace_back();
            if (levels.size() > kMaxNesting) throw Refusal("not_json");
        } else if (event == Event::object_end || event == Event::array_end) {
            levels.pop_back();
        } else if (event == Event::key && !levels.back().insert(value.get<std::string>()).second) {
            throw Refusal("not_json");
        }
        return true;
    };
    try {
        return Json::parse(text, check);
    } catch (const Json::exception&) {
        throw Refusal("not_json");
    }
}

// Kinds of values.

inline bool is_number(const Json& value) { return value.is_number() && std::abs(value.get<double>()) <= kMaxNumber; }

// The library tells whole numbers above 0 from those below; what 64 bits do not hold is no whole number to it.
inline bool is_count(const Json& value) {
    return value.is_number_integer() && (value.is_number_unsigned() || value.get<int64_t>() >= 0) &&
           value.get<uint64_t>() <= uint64_t(kMaxCount);
}

inline bool is_text(const Json& value) {
    if (!value.is_string()) return false;
    const auto& text = value.get_ref<const std::string&>();
    for (size_t place = 0; place < text.size(); ++place) {
        const auto byte = static_cast<unsigned char>(text[place]);
        // Control characters, which a terminal or a log would obey; U+0080 to U+009F are two bytes.
        if (byte < 0x20 || byte == 0x7f || (byte == 0xc2 && static_cast<unsigned char>(text[place + 1]) < 0xa0))
            return false;
    }
    return !text.empty() && text.size() <= kMaxTextBytes;
}

inline bool are_digits(const std::string& text) {
    return !text.empty() && text.size() <= 19 && text.find_first_not_of("0123456789") == std::string::npos;
}

inline bool is_nanoseconds(const Json& value, int64_t most) {
    if (!value.is_string() || !are_digits(value.get_ref<const std::string&>())) return false;
    return std::stoull(value.get_ref<const std::string&>()) <= uint64_t(most);
}

inline bool is_recorded(const Json& value) {
    if (!value.is_string()) return false;
    const auto& text = value.get_ref<const std::string&>();
    return are_digits(text.rfind('-', 0) == 0 ? text.substr(1) : text);
}

inline bool are_numbers(const Json& values, size_t count) {
    return values.is_array() && values.size() == count && std::all_of(values.begin(), values.end(), is_number);
}

inline bool between(const Json& value, double least, double most) {
    return is_number(value) && least <= value.get<double>() && value.get<double>() <= most;
}

inline void demand(bool holds) {
    if (!holds) throw Refusal("malformed");
}

// The value of a key that must be there; of one that need not be, null stands for it.
inline const Json& at(const Json& whole, const char* key) {
    const auto found = whole.find(key);
    demand(found != whole.end());
    return *found;
}

inline const Json& at_will(const Json& whole, const char* key) {
    static const Json none;
    const auto found = whole.find(key);
    return found == whole.end() ? none : *found;
}

inline void check_person(const Json& person) {
    demand(is_count(at(person, "track_id")) && between(at(person, "probability"), 0, 1));
    demand(are_numbers(at(person, "pixel"), 2) && are_numbers(at(person, "bearing_rad"), 2));
    const Json &valid = at(person, "valid"), &reason = at(person, "reason"), &depth = at(person, "depth");
    demand(valid.is_boolean() && (reason.is_null() || reason.is_string()) && depth.is_object());
    for (const char* key : {"value", "spread"}) demand(at(depth, key).is_null() || is_number(at(depth, key)));
    for (const char* key : {"count", "of"}) demand(is_count(at(depth, key)));
    const Json &z = at(person, "depth_m"), &range = at(person, "range_m");
    const Json &position = at(person, "position_m"), &covariance = at(person, "covariance_m2");
    if (valid.get<bool>()) {
        demand(is_number(z) && is_number(range) && are_numbers(position, 3) && are_numbers(covariance, 9));
        demand(reason.is_null());
    } else {
        demand(z.is_null() && range.is_null() && position.is_null() && covariance.is_null() && reason.is_string());
    }
}

// By its pivots: determinants lose what is sure across the line of sight in what is unsure along it.
inline bool is_positive_definite(double xx, double xy, double xz, double yy, double yz, double zz) {
    if (!(xx > 0)) return false;
    const double pivot = yy - xy / xx * xy, rest = yz - xz / xx * xy;
    return pivot > 0 && zz - xz / xx * xz - rest / pivot * rest > 0;
}

// What is said of one place must agree; it must lie before the camera, and how sure it is must be known.
inline Person read_position(const Json& person, bool optical) {
    Person read{};
    for (size_t axis = 0; axis < 3; ++axis) read.position_m[axis] = person["position_m"][axis].get<double>();
    for (size_t place = 0; place < 9; ++place) read.covariance_m2[place] = person["covariance_m2"][place].get<double>();
    const double range = read.range_m = person["range_m"].get<double>(), depth = person["depth_m"].get<double>();
    const double azimuth = person["bearing_rad"][0].get<double>(), elevation = person["bearing_rad"][1].get<double>();
    const double near = kToleranceM + kToleranceShare * range;
    const double x = read.position_m[0], y = read.position_m[1], z = read.position_m[2];
    const double away = std::sqrt(x * x + y * y + z * z);
    bool possible = depth > 0 && kMinRangeM <= range && range <= kMaxRangeM && std::abs(azimuth) < kHalfPi &&
                    std::abs(elevation) < kHalfPi &&
                    std::abs(range * std::cos(azimuth) * std::cos(elevation) - depth) <= near &&
                    std::abs(away - range) <= (optical ? near : kMaxMountM) &&
                    (!optical || std::abs(z - depth) <= near);
    const double *c = read.covariance_m2, xx = c[0], xy = c[1], xz = c[2], yy = c[4], yz = c[5], zz = c[8];
    for (const auto& [one, other] : {std::pair(xy, c[3]), std::pair(xz, c[6]), std::pair(yz, c[7])})
        possible = possible && std::abs(one - other) <= 1e-12 + 1e-6 * std::abs(one);
    possible = possible && std::max({xx, yy, zz}) <= kMaxVarianceM2 && is_positive_definite(xx, xy, xz, yy, yz, zz);
    if (!possible) throw Refusal("impossible");
    return read;
}

struct Message {
    std::string session, boot_id;
    int64_t captured_ns = 0;
    std::optional<int64_t> monotonic_ns;
    double max_age_ms = 0;
    std::optional<double> max_gap_ms;
};

// Checks a message against the contract; `verdict` gets what it says.
inline Message read_message(const std::string& payload, const std::string& camera, Verdict& verdict) {
    const Json json = strict_json(payload);
    demand(json.is_object() && at(json, "schema").is_number_integer());
    if (!is_count(json["schema"]) || json["schema"].get<int64_t>() != kSchema) throw Refusal("other_schema");
    for (const char* key : {"session", "camera", "frame_id"}) demand(is_text(at(json, key)));
    for (const char* key : {"captured_at", "published_at"}) demand(is_number(at(json, key)));
    demand(is_count(at(json, "seq")) && is_nanoseconds(at(json, "captured_ns"), kMaxWallNs));
    const Json &stamp = at_will(json, "monotonic_ns"), &boot = at_will(json, "boot_id");
    demand(stamp.is_null() || is_nanoseconds(stamp, kMaxMonotonicNs));
    demand(boot.is_null() || is_text(boot));
    const Json &recorded = at_will(json, "recorded_ns"), &gap = at_will(json, "max_gap_ms");
    demand(recorded.is_null() || is_recorded(recorded));
    const double least = std::numeric_limits<double>::denorm_min();
    demand(between(at(json, "max_age_ms"), least, kMaxNumber));
    demand(gap.is_null() || between(gap, least, kMaxNumber));
    const Json &persons = at(json, "persons"), &reason = at(json, "reason"), &latency = at(json, "latency_ms");
    demand(persons.is_array() && (reason.is_null() || reason.is_string()) && latency.is_object());
    for (const Json& value : latency) demand(is_number(value));
    for (const Json& person : persons) demand(person.is_object());
    for (const Json& person : persons) check_person(person);
    demand(persons.empty() != reason.is_null() && stamp.is_null() == boot.is_null());
    bool known = reason.is_null() || kFrameReasons.count(reason.get<std::string>());
    for (const Json& person : persons)
        known = known && (person["reason"].is_null() || kPersonReasons.count(person["reason"].get<std::string>()));
    if (!known) throw Refusal("unknown_reason");
    if (json["camera"].get<std::string>() != camera) throw Refusal("other_camera");

    verdict.frame_id = json["frame_id"].get<std::string>();
    const std::string ending = "_optical_frame";
    const bool optical = verdict.frame_id.size() >= ending.size() &&
                         verdict.frame_id.compare(verdict.frame_id.size() - ending.size(), ending.size(), ending) == 0;
    for (const Json& person : persons) {
        if (!person["valid"].get<bool>()) continue;
        const Person read = read_position(person, optical);
        if (!verdict.nearest || read.range_m < verdict.nearest->range_m) verdict.nearest = read;
    }
    Message message;
    message.session = verdict.session = json["session"].get<std::string>();
    verdict.seq = json["seq"].get<int64_t>();
    message.captured_ns = verdict.captured_ns = std::stoll(json["captured_ns"].get<std::string>());
    if (reason.is_string()) verdict.reason = reason.get<std::string>();
    if (stamp.is_string()) message.monotonic_ns = std::stoll(stamp.get<std::string>());
    if (boot.is_string()) message.boot_id = boot.get<std::string>();
    message.max_age_ms = json["max_age_ms"].get<double>();
    if (gap.is_number()) message.max_gap_ms = gap.get<double>();
    return message;
}

// How another host's clock stands to ours, as its quickest message tells it.
class SendersClock {
   public:
    int64_t learned_ns = 0;

    // By how much a message was slower than the quickest, nanoseconds.
    int64_t hear(int64_t boottime_ns, int64_t stamp_ns) {
        const int64_t apart_ns = boottime_ns - stamp_ns;
        if (!least_ns_) {
            least_ns_ = apart_ns;
        } else {
            const int64_t flowed_ns = std::clamp(boottime_ns - heard_ns_, int64_t{0}, kFlowingNs);
            learned_ns = std::min(learned_ns + flowed_ns, kLearnNs);
            least_ns_ = std::min(*least_ns_ + flowed_ns / kDrift, apart_ns);
        }
        heard_ns_ = boottime_ns;
        return apart_ns - *least_ns_;
    }

   private:
    std::optional<int64_t> least_ns_;
    int64_t heard_ns_ = 0;
};

// Judges what arrives for one camera. `counts` holds how often each code was given.
class Gate {
   public:
    // Throws std::invalid_argument of limits that are none. `boot_id`: this host's, empty where it cannot be told.
    Gate(const std::string& prefix, std::string camera, std::string boot_id, double max_age_ms = kMaxAgeMs,
         double silent_ms = kSilentMs)
        : topic(prefix + "/" + camera + "/person"),
          silent_ms(silent_ms),
          camera_(std::move(camera)),
          boot_id_(std::move(boot_id)),
          max_age_ms_(max_age_ms),
          own_silent_ms_(silent_ms) {
        for (const double limit : {max_age_ms, silent_ms})
            if (!(kLeastLimitMs <= limit && limit <= kMostLimitMs))
                throw std::invalid_argument("a limit is not between 1 and 60000 ms");
    }

    std::string topic;
    double silent_ms;
    std::map<std::string, int64_t> counts;
    uint64_t missed = 0, sessions = 0;

    // The verdict on what arrived `now`. Whatever fails is a verdict too.
    Verdict judge(const std::string& on, bool retained, const void* bytes, size_t size, const Now& now) noexcept {
        Verdict verdict;
        try {
            judge_or_throw(on, retained, bytes, size, now, verdict);
            verdict.code = "accepted";
        } catch (const Refusal& refusal) {
            verdict = Verdict();
            verdict.code = refusal.what();
            verdict.age_ms = refusal.age_ms;
        } catch (...) {
            verdict = Verdict();
            verdict.code = "error";
        }
        ++counts[verdict.code];
        return verdict;
    }

    // Seconds since the last accepted message, suspensions included; infinite before the first.
    double silent_s(const Now& now) const {
        return accepted_ns_ ? double(now.boottime_ns - *accepted_ns_) / 1e9 : std::numeric_limits<double>::infinity();
    }

    // Whether the robot must stop.
    bool silent(const Now& now) const { return silent_s(now) * 1e3 > silent_ms; }

   private:
    void judge_or_throw(const std::string& on, bool retained, const void* bytes, size_t size, const Now& now,
                        Verdict& verdict) {
        note_suspension(now);
        if (on != topic) throw Refusal("other_topic");
        if (retained) throw Refusal("retained");
        if (size > kMaxBytes) throw Refusal("too_large");
        const std::string payload = size ? std::string(static_cast<const char*>(bytes), size) : std::string();
        const Message message = read_message(payload, camera_, verdict);
        take_turn(message, now);
        if (verdict.seq <= seq_) throw Refusal("repeated");
        const bool own = message.monotonic_ns && !boot_id_.empty() && message.boot_id == boot_id_;
        const int64_t age_ns = own ? age_here_ns(message, now) : age_afar_ns(message, now);
        verdict.age_ms = double(age_ns) / 1e6;
        if (double(age_ns) > std::min(message.max_age_ms, max_age_ms_) * 1e6) throw Refusal("stale", verdict.age_ms);
        if (seq_ >= 0) missed += uint64_t(verdict.seq - seq_ - 1);
        seq_ = verdict.seq;
        held_ns_ = now.boottime_ns;
        if (!own && clock_.learned_ns < kLearnNs) throw Refusal("learning", verdict.age_ms);
        if (!greeted_) ++sessions;
        greeted_ = true;
        accepted_ns_ = now.boottime_ns;
        silent_ms = !message.max_gap_ms ? own_silent_ms_
                                        : std::min(std::max(*message.max_gap_ms, std::min(kLeastSilentMs, own_silent_ms_)),
                                                   kMostSilent * own_silent_ms_);
    }

    // One session at a time. The next may begin when the robot has stopped, and all of the last one is stale.
    void take_turn(const Message& message, const Now& now) {
        const auto session = std::pair(message.session, message.boot_id);
        if (session == session_) return;
        if (session_ && double(now.boottime_ns - held_ns_) <= std::max(silent_ms, max_age_ms_) * 1e6)
            throw Refusal("other_session");
        session_ = session;
        held_ns_ = now.boottime_ns;
        seq_ = -1;
        greeted_ = false;
        clock_ = SendersClock();
    }

    void note_suspension(const Now& now) {
        const int64_t asleep_ns = now.boottime_ns - now.monotonic_ns;
        if (asleep_ns_ && asleep_ns - *asleep_ns_ > kSuspendedNs) {
            // Of two suspensions soon after each other, what is old may have seen both.
            const int64_t before_ns = double(now.monotonic_ns - woke_ns_) < kMostLimitMs * 1e6 ? slept_ns_ : 0;
            woke_ns_ = now.monotonic_ns;
            slept_ns_ = before_ns + asleep_ns - *asleep_ns_;
        }
        asleep_ns_ = asleep_ns;
    }

    int64_t age_here_ns(const Message& message, const Now& now) const {
        const int64_t stamp_ns = *message.monotonic_ns;
        const int64_t age_ns = now.monotonic_ns - stamp_ns + (stamp_ns <= woke_ns_ ? slept_ns_ : 0);
        if (double(age_ns) < -kSameHostToleranceMs * 1e6) throw Refusal("future", double(age_ns) / 1e6);
        return age_ns;
    }

    int64_t age_afar_ns(const Message& message, const Now& now) {
        const int64_t wall_ns = now.utc_ns - message.captured_ns;
        const int64_t held_up_ns = clock_.hear(now.boottime_ns, message.monotonic_ns.value_or(message.captured_ns));
        // What the quickest message's age would be by the wall clocks as both stand now: no age is less than nothing.
        if (double(wall_ns - held_up_ns) < -kToleranceMs * 1e6) throw Refusal("future", double(wall_ns) / 1e6);
        return std::max(wall_ns, held_up_ns);
    }

    std::string camera_, boot_id_;
    double max_age_ms_, own_silent_ms_;
    std::optional<std::pair<std::string, std::string>> session_;
    std::optional<int64_t> accepted_ns_, asleep_ns_;
    int64_t held_ns_ = 0, seq_ = -1, woke_ns_ = 0, slept_ns_ = 0;
    bool greeted_ = false;
    SendersClock clock_;
};

// This boot of this host; empty where it cannot be told.
inline std::string read_boot_id() {
    std::ifstream file("/proc/sys/kernel/random/boot_id");
    std::string id;
    std::getline(file, id);
    return id;
}

inline int64_t read_ns(clockid_t clock) {
    timespec now{};
    clock_gettime(clock, &now);
    return int64_t{now.tv_sec} * 1000000000 + now.tv_nsec;
}

// This instant.
inline Now read_now() { return {read_ns(CLOCK_REALTIME), read_ns(CLOCK_MONOTONIC), read_ns(CLOCK_BOOTTIME)}; }

}  // namespace nasion
